"""A model over HTTP: an API, and pages on top of it. Needs ``matinee[serve]``."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
