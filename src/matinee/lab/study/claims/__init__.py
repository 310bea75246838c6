"""Claims of a study, judged by intervals over its runs."""
