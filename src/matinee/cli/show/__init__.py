"""What commands show to people: progress, tables of scores, descriptions."""
