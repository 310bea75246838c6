"""Feedback over HTTP: stored, used in the next list, exported and erased by user."""
