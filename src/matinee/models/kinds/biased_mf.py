"""Biased matrix factorisation as a kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...train.factors.config import FactorsConfig
from ..registry import ModelKind, around
from ..settings import Settings


def _epochs(settings: Mapping[str, Any]) -> int:
    return int(settings["mf"]["sweeps"])


def _seconds(settings: Mapping[str, Any], users: int, ratings: int) -> float:
    return 1.0 + 1e-4 * ratings


def _shortened(settings: Settings, epochs: int) -> dict[str, Any]:
    return {"mf.sweeps": min(settings.section(FactorsConfig).sweeps, epochs)}


def _space(settings: Settings) -> dict[str, Any]:
    mf = settings.section(FactorsConfig)
    return {
        "mf.factors": around(mf.factors, 4.0, 4.0, least=1),
        "mf.ridge_power": {"low": 0.0, "high": 1.0},
        "mf.user_ridge": around(mf.user_ridge, 5.0, 5.0),
        "mf.item_ridge": around(mf.item_ridge, 5.0, 5.0),
        **({} if mf.ridge == "auto" else {"mf.ridge": around(mf.ridge, 10.0, 10.0)}),
    }


KINDS = (
    ModelKind(
        name="biased-mf",
        cls="matinee.models._biased_mf:BiasedMF",
        summary="Biased matrix factorisation by alternating least squares.",
        settings=FactorsConfig,
        section="mf",
        epochs=_epochs,
        cost=_seconds,
        shorten=_shortened,
        space=_space,
    ),
)
