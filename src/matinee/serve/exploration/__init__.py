"""A stated share of new items in the lists of the server."""
