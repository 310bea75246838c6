"""The command line. Each command reads its options and calls the library, which has the logic."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
