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
from .registry import kind_named
from .settings import Settings, option_path


def preset_names() -> list[str]:
    """The presets that come with the package."""
    folder = resources.files("matinee") / "presets"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def preset(name: str) -> Settings:
    """The settings of a preset, by name or from a TOML file.

    Raises:
        UsageError: No such preset or file (with the nearest name), or an invalid key or value.
    """
    if name.endswith(".toml"):
        return Settings.read_toml(Path(name))
    if name not in preset_names():
        known = ", ".join(preset_names())
        raise UsageError(
            f"unknown preset {name!r}{nearest(name, preset_names())} (there are: {known})"
        )
    text = (resources.files("matinee") / "presets" / f"{name}.toml").read_text("utf-8")
    return Settings.make(tomllib.loads(text), f"preset {name}")


@dataclass(frozen=True)
class Frozen:
    """What a preset was when its settings were last changed.

    Attributes:
        hash: ``settings_hash`` of the preset.
        date: The day, ISO 8601.
    """

    hash: str
    date: str


def frozen_presets() -> dict[str, Frozen]:
    """The hash and date of each preset that comes with the package.

    ``python docs/generate.py`` writes them anew where a preset has changed.
    """
    text = (resources.files("matinee") / "presets" / "frozen.json").read_text("utf-8")
    return {name: Frozen(**entry) for name, entry in json.loads(text).items()}


def settings_hash(settings: Settings) -> str:
    """8 hex digits that name settings by all that decides a model: equal ones, equal digits.

    Options at their defaults and the description have no part in it, so that a new option leaves
    the hash of what does not use it as it is.
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
    """The settings of an ensemble's members: for each entry of ``members``, one for each copy.

    All share one validation part, of the size that the ensemble's settings state or, where that is
    0, of the largest size that a member states.

    Raises:
        UsageError: An unknown preset or key, an invalid value, or an ensemble or a half-life of
            its own among the members.
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
    """A member's settings with its changes.

    A member of another kind than the networks ignores changes of the network and its training,
    which are made in all members at once, but for the number of epochs: it is shortened likewise.
    """
    if base.kind == "autoencoder":
        return base.replace(changes, source)
    full = {".".join(option_path(base.kind, key, source)): v for key, v in changes.items()}
    kept = {key: v for key, v in full.items() if key.partition(".")[0] not in ("network", "train")}
    if "train.epochs" in full:
        kept = {**kind_named(base.kind).shorten(base, int(full["train.epochs"])), **kept}
    return base.replace(kept, source)
