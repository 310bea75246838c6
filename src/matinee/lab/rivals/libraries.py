"""Models of other libraries as kinds of model; the extra ``bench`` installs the libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.registry import ModelKind

_SURPRISE = ("surprise", "scikit-surprise")
_CORNAC = ("cornac", "cornac")
_CLASSES = "matinee.lab.rivals._outside"


def _svd_seconds(options: Mapping[str, Any], users: int, ratings: int) -> float:
    size = options.get("n_epochs", 20) * options.get("n_factors", 100) / 100
    return float(1.0 + 5e-6 * ratings * size)


KINDS = (
    ModelKind(
        name="surprise-svd",
        cls=f"{_CLASSES}:SurpriseSVD",
        summary="SVD of scikit-surprise: biased matrix factorisation by SGD.",
        cost=_svd_seconds,
        requires=_SURPRISE,
    ),
    ModelKind(
        name="surprise-svdpp",
        cls=f"{_CLASSES}:SurpriseSVDpp",
        summary="SVD++ of scikit-surprise.",
        cost=lambda options, users, ratings: 1.0 + 3e-3 * ratings,
        requires=_SURPRISE,
    ),
    ModelKind(
        name="cornac-mf",
        cls=f"{_CLASSES}:CornacMF",
        summary="MF of Cornac: biased matrix factorisation by SGD.",
        requires=_CORNAC,
    ),
    ModelKind(
        name="cornac-pmf",
        cls=f"{_CLASSES}:CornacPMF",
        summary="PMF of Cornac: probabilistic matrix factorisation.",
        requires=_CORNAC,
    ),
)
