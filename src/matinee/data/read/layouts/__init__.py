"""Tables that are no list of rows: matrices, and lists of items by user."""
