"""Scorers of interest: which items a user interacts with, regardless of the rating."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
