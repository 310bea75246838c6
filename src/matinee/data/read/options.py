"""``ReadOptions``: how a table is read. The command line, TOML files and Python share it."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from ...config import Config

TimeUnit = Literal["s", "ms", "us", "ns", "yyyymmdd", "day"]
"""What a number in the time column counts: parts of a second or days since 1970, or it is a date
written as 20210131."""


class ReadOptions(Config):
    """How rows are read and which of them."""

    drop_outside_scale: bool = False
    """Leave out ratings outside the stated scale, with a note, where they would be an error."""
    keep_missing_ids: bool = False
    """Read ids such as NA, NULL and None as they are written, where they would stand for none."""
    decimal: str = "."
    """The decimal mark of ratings in text."""
    time_unit: TimeUnit | None = None
    """What numbers in the time column count; recognised by plausibility if left out."""

    @field_validator("decimal")
    @classmethod
    def _one_mark(cls, mark: str) -> str:
        if mark not in (".", ","):
            raise ValueError("must be '.' or ','")
        return mark
