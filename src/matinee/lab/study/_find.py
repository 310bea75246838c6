"""Studies as TOML files: those of the package or the user's."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from ...errors import UsageError, nearest
from .study import Study


def study_names() -> list[str]:
    """Return the names of the studies of the package."""
    folder = resources.files("matinee.lab") / "studies"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def find_study(name: str | Path) -> Study:
    """Return a study by its name in the package, or from a TOML file.

    Raises:
        UsageError: No such study or file (with the nearest name), or a wrong key or value in it.
    """
    text = str(name)
    if text.endswith(".toml"):
        return Study.read_toml(Path(text))
    if text not in study_names():
        known = ", ".join(study_names())
        raise UsageError(
            f"unknown study {text!r}{nearest(text, study_names())} (there are: {known}; a study of "
            "your own is a path that ends in .toml)"
        )
    content = (resources.files("matinee.lab") / "studies" / f"{text}.toml").read_text("utf-8")
    return Study.make(tomllib.loads(content), f"study {text}")
