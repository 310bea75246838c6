"""The command line. It holds no science: each command reads its options and calls the library."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
