"""The models, behind one small interface."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
_LAZY = {
    "Autoencoder": "_autoencoder",
    "BiasedMF": "_biased_mf",
    "Ensemble": "_ensemble",
    "SparseFC": "_sparsefc",
    "export_items": "_export",
    "export_onnx": "_export",
    "model": "_factory",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
