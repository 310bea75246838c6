"""Parts of an ensemble: members that are no networks, and weights that depend on counts."""
