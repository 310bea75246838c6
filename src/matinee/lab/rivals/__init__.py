"""Rivals that the models of this package are compared with: SparseFC, and other libraries' models.

Each public module declares kinds of model by a tuple ``KINDS`` of ``models.registry.ModelKind``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
