"""Presets: settings that come with the package, as TOML files."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from ..errors import UsageError, nearest
from ..train.config import validation_share
from .settings import Settings


def preset_names() -> list[str]:
    """The presets that come with the package."""
    folder = resources.files("matinee") / "presets"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def preset(name: str) -> Settings:
    """The settings of a preset, by name or from a TOML file of the user's own.

    Raises:
        UsageError: No such preset or file (with the nearest name), or a wrong key or value in it.
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


def member_settings(settings: Settings) -> list[list[Settings]]:
    """The settings of an ensemble's members: for each entry of ``members``, its copies.

    All share one validation part: the settings' share, or, where that is 0, the largest that a
    member asks for.

    Raises:
        UsageError: An unknown preset or key, a bad value, or an ensemble among the members.
    """
    found: list[Settings] = []
    for number, member in enumerate(settings.members, start=1):
        base = preset(member.preset) if member.preset else settings.replace({"members": ()})
        if base.members:
            raise UsageError(f"member {number}: {member.preset} is an ensemble itself")
        found.append(base.replace(member.set, f"member {number}"))
    asked = [s.train.validation for s in (settings, *found)]
    share = asked[0] or max(asked, key=validation_share)
    return [
        [each.replace({"train.validation": share, "description": ""}, f"member {number}")]
        * member.copies
        for number, (each, member) in enumerate(zip(found, settings.members, strict=True), start=1)
    ]
