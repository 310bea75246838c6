"""Tests that every model must pass, for models of your own; see ``ModelBattery``. Needs pytest."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
