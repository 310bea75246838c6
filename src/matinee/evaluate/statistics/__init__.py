"""Intervals and paired comparisons, over people and over seeds."""
