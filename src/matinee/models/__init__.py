"""The models, behind one small interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._baselines import Bias, GlobalMean, ItemMean
from ._folder import check_place, load_model, read_manifest
from ._interface import Recommender
from ._provenance import Provenance

if TYPE_CHECKING:
    from ._autoencoder import Autoencoder

__all__ = [
    "Autoencoder",
    "Bias",
    "GlobalMean",
    "ItemMean",
    "Provenance",
    "Recommender",
    "check_place",
    "load_model",
    "read_manifest",
]


def __getattr__(name: str) -> Any:
    # The network needs torch, which is slow to import; the baselines do without.
    if name == "Autoencoder":
        from ._autoencoder import Autoencoder

        return Autoencoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
