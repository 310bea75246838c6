"""Functions at the top of the package: make a model from a preset, and evaluate lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..data import RatingsLike
from ..evaluate import ListEvaluation
from .base import Recommender
from .presets import member_settings, preset as _preset
from .registry import kind_named
from .settings import Settings
from .trainable import Trainable


def model(
    preset: str = "default",
    *,
    settings: Settings | None = None,
    device: str = "auto",
    **overrides: Any,
) -> Trainable:
    """Make the model described by a preset; an ``Ensemble`` if the preset has members.

    Args:
        preset: Name of a preset (``matinee presets`` lists them) or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA if available.
        **overrides: Single options by name, over the preset: ``hidden=[64]``, ``epochs=5``. In an
            ensemble they apply to every member.

    Raises:
        UsageError: An unknown preset or option, or an invalid value.
    """
    chosen = (settings or _preset(preset)).replace(overrides, "model")
    member_settings(chosen)  # an error in a member is raised now, not at fit
    return kind_named(chosen.model_kind).load()(settings=chosen, device=device)


def evaluate_lists(
    model: Recommender | Path | str, test: RatingsLike, **options: Any
) -> ListEvaluation:
    """Evaluate the lists of a model on held-out ratings, with baselines.

    Args:
        model: A fitted model, or the folder of a saved one.
        test: Ratings the model was not trained on, or what ``load`` takes.
        **options: Those of ``Recommender.evaluate_lists``: k, relevant, histories, baselines, ...

    Raises:
        MatineeError: As ``load_model`` and ``Recommender.evaluate_lists``.
    """
    from .folder.read import load_model

    fitted = model if isinstance(model, Recommender) else load_model(model)
    return fitted.evaluate_lists(test, **options)
