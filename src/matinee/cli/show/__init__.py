"""Terminal output of commands: progress, tables of scores, descriptions."""
