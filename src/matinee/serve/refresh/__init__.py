"""A model in service learns from feedback, and is replaced if the new one is not worse."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
