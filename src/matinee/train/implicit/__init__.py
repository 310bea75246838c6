"""Models of interactions without a network: implicit ALS and item-kNN."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
