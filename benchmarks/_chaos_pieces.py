"""Counts of one part of the table, kept in a file so that a later run adds to them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

Row = tuple[str, str]
More = Callable[[], bool]


class Piece(AbstractContextManager["Piece"]):
    """Counts by name, saved when the block ends and as often as ``save`` is called.

    Args:
        path: The JSON file; it need not exist.

    Attributes:
        counts: Numbers, and lists of numbers or texts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.counts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self._began, self._before = time.monotonic(), float(self.counts.get("seconds", 0.0))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.save()

    def get(self, name: str) -> int:
        """A count, 0 at first."""
        return int(self.counts.get(name, 0))

    def add(self, name: str, number: int = 1) -> None:
        """Count more."""
        self.counts[name] = self.get(name) + number

    def texts(self, name: str) -> list[str]:
        """A list to append to."""
        found: list[str] = self.counts.setdefault(name, [])
        return found

    def save(self) -> None:
        """Write the file, with the date, the load of the machine and the seconds so far."""
        self.counts["seconds"] = round(self._before + time.monotonic() - self._began, 1)
        self.counts["date"] = time.strftime("%Y-%m-%d")
        self.counts["load"] = round(os.getloadavg()[1], 1)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self.counts, indent=1))
        new.replace(self._path)
