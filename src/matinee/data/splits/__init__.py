"""Splits of ratings: by rule, by name, by windows of time, and as files."""
