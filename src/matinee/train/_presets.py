"""Presets: settings that come with the package, as TOML files."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from ..errors import UsageError, nearest
from ._config import Settings


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
