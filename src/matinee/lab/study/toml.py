"""A study as TOML text that reads back as the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...config import Config


def to_toml(config: Config) -> str:
    """A configuration as TOML, less what is at its default."""
    values = config.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    plain, tables = [], []
    for key, value in values.items():
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            tables += [f"\n[[{_key(key)}]]\n{_lines(entry)}" for entry in value]
        elif isinstance(value, dict):
            tables.append(f"\n[{_key(key)}]\n{_lines(value)}")
        else:
            plain.append(f"{_key(key)} = {_value(value)}")
    return "\n".join([*plain, *tables])


def _lines(table: Mapping[str, Any]) -> str:
    return "\n".join(f"{_key(k)} = {_value(v)}" for k, v in table.items() if v is not None)


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None)
        return "{ " + inner + " }" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    # Strings, whole numbers and booleans are written alike in TOML and JSON; but JSON lets DEL be.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
