"""Intervals and paired comparisons, over users and over seeds."""
