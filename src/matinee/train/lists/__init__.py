"""How lists are ordered, and the training of scorers of interest that are networks."""
