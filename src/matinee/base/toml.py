"""Write TOML: the one writer of presets, studies and search spaces.

Arrays stay on one line and tables within arrays are inline, which ``tomli-w`` does not offer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any


def dumps(values: Mapping[str, Any]) -> str:
    """Nested plain values as TOML text that ``tomllib`` reads back as the same.

    A mapping becomes a section, a list of mappings an array of tables. Values that are None are
    left out, as TOML has no null.

    Args:
        values: Mappings with text keys, lists, tuples, text, numbers and booleans.
    """
    return "\n".join(_lines(values, "")).strip("\n")


def _lines(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    tables: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, Mapping) or _is_array_of_tables(value):
            tables.append((prefix + _key(key), value))
        elif value is not None:
            yield f"{_key(key)} = {_value(value)}"
    for name, table in tables:
        if isinstance(table, Mapping):
            if not table or any(not isinstance(value, Mapping) for value in table.values()):
                yield f"\n[{name}]"
            yield from _lines(table, f"{name}.")
            continue
        for entry in table:
            yield f"\n[[{name}]]"
            yield from (f"{_key(k)} = {_value(v)}" for k, v in entry.items() if v is not None)


def _is_array_of_tables(value: Any) -> bool:
    filled = isinstance(value, list | tuple) and len(value) > 0
    return filled and all(isinstance(entry, Mapping) for entry in value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = [f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    return _text(value)


def _text(value: Any) -> str:
    # TOML writes text, integers and booleans as JSON does, but for DEL, which it requires escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
