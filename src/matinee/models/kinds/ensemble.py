"""Ensembles of autoencoders as a kind of model: settings with ``members``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..registry import ModelKind
from .autoencoder import default_space, seconds, shortened


def _epochs(settings: Mapping[str, Any]) -> int:
    networks = sum(int(member["copies"]) for member in settings["members"])
    return networks * int(settings["train"]["epochs"])


def _seconds(settings: Mapping[str, Any], users: int, ratings: int) -> float:
    return seconds(settings, users, ratings, _epochs(settings))


KINDS = (
    ModelKind(
        name="ensemble",
        cls="matinee.models.networks.ensemble:Ensemble",
        summary="Several autoencoders on the same ratings, blended; a preset with members.",
        uses=("network", "train"),
        epochs=_epochs,
        cost=_seconds,
        shorten=shortened,
        space=default_space,
        measures=True,
    ),
)
