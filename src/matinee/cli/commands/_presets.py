"""``matinee presets``."""

from __future__ import annotations

from ...config import to_toml
from ..output import answer, echo, print_json, print_table
from ..source import Json


def presets(name: str | None = None, *, json: Json = False) -> None:
    """List the presets, or show one as TOML, to save and change.

    Args:
        name: Show the settings of this one; or of a TOML file.
    """
    from ...models import preset, preset_names

    if name is not None:
        settings = preset(name)
        answer(json, settings, to_toml(settings))
        return
    descriptions = {each: preset(each).description for each in preset_names()}
    if json:
        print_json({"presets": descriptions})
    else:
        print_table(["preset", ""], descriptions.items())
        echo("\nmatinee presets NAME shows its settings; docs/config.md describes them")
