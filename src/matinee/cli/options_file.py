"""Reading options from a TOML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def options_of_file(file: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return reading options from a TOML file that the command has and that were not given.

    Raises:
        UsageError: The file cannot be read, or states an option that does not exist.
    """
    from ..data import TableOptions

    stated = TableOptions.read_toml(file.expanduser()).stated()
    # As the command line writes them.
    for name, write in (("items", Path), ("scale", _joined(":")), ("missing", _joined(","))):
        if name in stated:
            stated[name] = write(stated[name])
    defaults = {"repeats": "last"}
    return {
        name: value
        for name, value in stated.items()
        if name in given and given[name] == defaults.get(name)
    }


def _joined(between: str) -> Callable[[Sequence[float]], str]:
    return lambda values: between.join(map(repr, values))
