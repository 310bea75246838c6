"""From predictions to lists: fold-in, titles, top-k, tables, and what can be said about them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
