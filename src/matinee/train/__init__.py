"""Training: presets, optimisers, the loop, checkpoints.

What needs torch is imported when it is first asked for: a server does without.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
