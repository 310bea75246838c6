"""Where data comes from: the catalogue, downloads, and the names a user has given."""
