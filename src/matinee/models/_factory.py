"""``model``: the model that a preset describes."""

from __future__ import annotations

from typing import Any

from ..train import Settings, member_settings
from ..train import preset as _preset
from ._biased_mf import BiasedMF
from ._sparsefc import SparseFC
from .networks.autoencoder import Autoencoder
from .networks.ensemble import Ensemble


def model(
    preset: str = "default",
    *,
    settings: Settings | None = None,
    device: str = "auto",
    **overrides: Any,
) -> Autoencoder | Ensemble | BiasedMF | SparseFC:
    """A new model, by a preset: of the kind it names; an ``Ensemble`` where it has members.

    Args:
        preset: Name of a preset (``matinee presets`` lists them) or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA where there is one.
        **overrides: Single options by name, over the preset: ``hidden=[64]``, ``epochs=5``. In an
            ensemble they hold for every member.

    Raises:
        UsageError: No such preset, an unknown option, or a bad value.
    """
    chosen = (settings or _preset(preset)).replace(overrides, "model")
    member_settings(chosen)  # what is wrong in a member is told now, not at fit
    if chosen.members:
        return Ensemble(settings=chosen, device=device)
    if chosen.kind == "biased-mf":
        return BiasedMF(settings=chosen, device=device)
    if chosen.kind == "sparsefc":
        return SparseFC(settings=chosen, device=device)
    return Autoencoder(settings=chosen, device=device)
