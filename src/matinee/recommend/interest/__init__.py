"""Interest: scores of which items a person chooses, whatever they would rate them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
