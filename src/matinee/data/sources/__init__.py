"""Sources of data: the catalogue, downloads, and names that the user registers."""
