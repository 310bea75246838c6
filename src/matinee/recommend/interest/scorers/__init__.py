"""The scorers of interest that ``lists.interest`` may name, one module for each.

A module has the name of its scorer in ``train.lists.SCORERS``, with underscores. It has a subclass
of ``Interest`` with that ``name``, and a function ``candidate``: the scorer with its options, to be
fitted without the held-out interactions. ``popularity.py`` is the shortest.
"""
