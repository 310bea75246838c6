"""The models, behind one small interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily
from ._baselines import Bias, GlobalMean, ItemMean, UserMean
from ._folder import check_place, load_model, read_manifest
from ._inspect import Neighbours, breakdown, neighbours
from ._interface import Recommender
from ._provenance import Provenance
from ._support import ItemVectors, item_counts, item_vectors

if TYPE_CHECKING:
    from ._autoencoder import Autoencoder
    from ._biased_mf import BiasedMF
    from ._ensemble import Ensemble
    from ._export import export_items, export_onnx
    from ._factory import model
    from ._sparsefc import SparseFC

__all__ = [
    "Autoencoder",
    "Bias",
    "BiasedMF",
    "Ensemble",
    "GlobalMean",
    "ItemMean",
    "ItemVectors",
    "Neighbours",
    "Provenance",
    "Recommender",
    "SparseFC",
    "UserMean",
    "breakdown",
    "check_place",
    "export_items",
    "export_onnx",
    "item_counts",
    "item_vectors",
    "load_model",
    "model",
    "neighbours",
    "read_manifest",
]


# The networks need torch, which is slow to import; the baselines do without.
_HOMES = {
    "_autoencoder": ("Autoencoder",),
    "_biased_mf": ("BiasedMF",),
    "_ensemble": ("Ensemble",),
    "_export": ("export_items", "export_onnx"),
    "_factory": ("model",),
    "_sparsefc": ("SparseFC",),
}
__getattr__ = lazily(__name__, _HOMES)
