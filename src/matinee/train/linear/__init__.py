"""Linear autoencoders of interactions in closed form: EASE, EDLAE, RLAE and RDLAE, weighted."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
