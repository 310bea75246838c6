"""The lab: studies, tuning, leaderboards, rivals and reports. The core never imports it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
