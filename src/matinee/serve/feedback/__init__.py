"""Feedback over HTTP: taken, used in the next list, shown to whom it is about, erased."""
