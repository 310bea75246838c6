"""Reports: one self-contained HTML file for a study, or for a trained model; charts as SVG.

It computes nothing: all results come from ``study``, ``evaluate`` and ``models``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
