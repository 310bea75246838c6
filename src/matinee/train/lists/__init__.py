"""How lists are ordered, and the training of scorers of interest that are networks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
