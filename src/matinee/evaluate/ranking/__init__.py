"""Exact evaluation of lists: every item is ranked for every person, none is sampled."""
