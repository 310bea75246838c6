"""Training: presets, optimisers, the loop, checkpoints.

Modules that need torch are imported when first used, so that a server does not need it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
