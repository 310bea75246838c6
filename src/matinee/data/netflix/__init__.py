"""The Netflix Prize files: their reader, and the splits of the paper."""
