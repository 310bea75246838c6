"""Models of other libraries behind ``Recommender``."""
