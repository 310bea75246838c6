"""Optimisers that update only the table rows a batch touched, and learning-rate schedules."""
