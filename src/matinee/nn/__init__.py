"""The network: sparse kernels, layers, losses. Cost grows with ratings, not with users x items.

Torch is imported when a name that needs it is first used; serving does not need it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
