"""The scorers of interest that ``lists.interest`` may name, one module for each.

A module is named as its scorer in ``train.lists.SCORERS``, with underscores. It has a subclass of
``Interest`` with that ``name``, and a function ``candidate``: the scorer with its options, to be
fitted without the interactions held out. ``popularity.py`` is the shortest.
"""
