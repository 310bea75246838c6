"""Presets: settings that come with the package, as TOML files."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import UsageError, nearest
from ..train.config import validation_share
from .registry import kind_named, model_kinds
from .settings import Settings, option_path


def preset_names() -> list[str]:
    """Return the names of the presets that come with the package."""
    folder = resources.files("matinee") / "presets"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def preset(name: str) -> Settings:
    """Return the settings of a preset, by name or from a TOML file.

    Raises:
        UsageError: No such preset or file (with the nearest name), or an invalid key or value.
    """
    if name.endswith(".toml"):
        return Settings.read_toml(Path(name))
    if name not in preset_names():
        known = ", ".join(preset_names())
        hint = nearest(name, preset_names())
        if name in {kind.name for kind in model_kinds()}:
            hint = f"; it is a kind of model without one: --set kind={name} (kind={name!r})"
        raise UsageError(f"unknown preset {name!r}{hint} (there are: {known})")
    text = (resources.files("matinee") / "presets" / f"{name}.toml").read_text("utf-8")
    return Settings.make(tomllib.loads(text), f"preset {name}")


@dataclass(frozen=True)
class Frozen:
    """Hash and date of the last change of a preset.

    Attributes:
        hash: ``settings_hash`` of the preset.
        date: The day, ISO 8601.
    """

    hash: str
    date: str


def frozen_presets() -> dict[str, Frozen]:
    """Return the hash and date of each preset that comes with the package.

    ``python docs/generate.py`` updates them when a preset has changed.
    """
    text = (resources.files("matinee") / "presets" / "frozen.json").read_text("utf-8")
    return {name: Frozen(**entry) for name, entry in json.loads(text).items()}


def settings_hash(settings: Settings) -> str:
    """Return 8 hex digits that are equal for settings that make the same model.

    The description and options at their defaults are left out, so that adding an option does not
    change the hash of presets that do not use it.
    """
    members = member_settings(settings) if settings.members else []
    whole = [settings, *(each for entry in members for each in entry)]
    plain = [
        each.model_copy(update={"description": ""}).model_dump(mode="json", exclude_defaults=True)
        for each in whole
    ]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def member_settings(settings: Settings) -> list[list[Settings]]:
    """Return the settings of an ensemble's members: one list per entry of ``members``, by copy.

    All members share one validation part; if the ensemble's settings give no size, the largest of
    the members' sizes is used.

    Raises:
        UsageError: An unknown preset or key, an invalid value, or a member that is an ensemble or
            sets its own half-life.
    """
    bases: list[Settings] = []
    for number, member in enumerate(settings.members, start=1):
        base = preset(member.preset) if member.preset else settings.replace({"members": ()})
        if base.members:
            raise UsageError(f"member {number}: {member.preset} is an ensemble itself")
        base = _with_changes(base, member.set, f"member {number}")
        if base.train.half_life not in (0.0, settings.train.half_life):
            raise UsageError(
                f"member {number}: half_life = {base.train.half_life:g}: all members train on the "
                "same weights; set it in [train], beside members"
            )
        bases.append(base)
    shares = [s.train.validation for s in (settings, *bases)]
    share = shares[0] or max(shares, key=validation_share)
    entries = []
    for number, (each, member) in enumerate(zip(bases, settings.members, strict=True), start=1):
        changes: dict[str, Any] = {"description": ""}
        if each.kind == "autoencoder":
            changes["train.validation"] = share
        entries.append([each.replace(changes, f"member {number}")] * member.copies)
    return entries


def _with_changes(base: Settings, changes: Mapping[str, Any], source: str) -> Settings:
    """Apply a member's changes to its settings.

    A member that is not a network ignores options of networks and their training, which are set for
    all members at once, except for the number of epochs.
    """
    if base.kind == "autoencoder":
        return base.replace(changes, source)
    full = {".".join(option_path(base.kind, key, source)): v for key, v in changes.items()}
    kept = {key: v for key, v in full.items() if key.partition(".")[0] not in ("network", "train")}
    if "train.epochs" in full:
        kept = {**kind_named(base.kind).shorten(base, int(full["train.epochs"])), **kept}
    return base.replace(kept, source)
