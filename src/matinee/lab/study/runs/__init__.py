"""The runs of a study: data, scheduling and records."""
