"""Models of interactions without a network: implicit ALS, item-kNN, and BSPM."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
