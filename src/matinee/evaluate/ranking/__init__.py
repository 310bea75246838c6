"""Exact evaluation of lists: all items are ranked for every user, without sampling."""
