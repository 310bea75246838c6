"""``matinee presets``."""

from __future__ import annotations

import json as json_format
from typing import Annotated, Any

import typer

from ..config import Config
from ._output import print_json, print_table, say
from ._source import Json


def presets(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show the settings of this one; or of a TOML file.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the presets, or show one as TOML, to save and change."""
    from ..train import preset, preset_names

    if name is not None:
        settings = preset(name)
        if json:
            print_json(settings)
        else:
            say(to_toml(settings))
        return
    found = {each: preset(each).description for each in preset_names()}
    if json:
        print_json({"presets": found})
    else:
        print_table(["preset", ""], found.items())
        say("\nmatinee presets NAME shows its settings; docs/config.md says what each one does")


def to_toml(config: Config) -> str:
    """A configuration as a TOML file that reads back as the same."""
    plain: list[str] = []
    tables: list[str] = []
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            tables.append(f"\n[{name}]\n{to_toml(value)}")
        else:
            plain.append(f"{name} = {_value(value)}")
    return "\n".join([*plain, *tables])


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    # Strings, numbers and booleans are written alike in TOML and JSON.
    return json_format.dumps(value, ensure_ascii=False)
