"""Tables that are kept by other software: databases, and tables of data lakes."""
