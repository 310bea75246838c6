"""Interpretation of table values: equality of ids, and units of times."""
