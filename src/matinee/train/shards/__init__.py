"""Ratings of which every process of a distributed run holds a part."""
