"""``ReadOptions``: how a table is read. The command line, TOML files and Python share it."""

from __future__ import annotations

import codecs
from typing import Any

from pydantic import Field, field_validator

from ...config import Config
from ..values.times import TimeUnit


class ReadOptions(Config):
    """How text is laid out, and which rows are read."""

    delimiter: str | None = None
    """What stands between the columns of text, such as ``,``, ``;`` or ``tab``."""
    quote: str | None = None
    """The quote mark of text; ``none`` where such marks mean nothing."""
    encoding: str | None = None
    """The encoding of text, such as ``latin-1`` or ``utf-16``; UTF-8 if left out."""
    skip: int = Field(default=0, ge=0)
    """Lines to leave out at the start of each text file."""
    comment: str | None = None
    """Leave out lines of text that start with this, such as ``#``."""
    header: bool | None = None
    """Whether text starts with a line of column names; recognised if left out."""
    columns: tuple[str, ...] | None = None
    """Names of the columns of a text table, instead of its header's."""
    drop_outside_scale: bool = False
    """Leave out ratings outside the stated scale, with a note, where they would be an error."""
    keep_missing_ids: bool = False
    """Keep ids such as NA, NULL and None as text, instead of treating them as missing."""
    decimal: str = "."
    """The decimal mark of ratings in text."""
    time_unit: TimeUnit | None = None
    """What numbers in the time column count; recognised by plausibility if left out."""

    @field_validator("columns", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:
        return [name.strip() for name in names.split(",")] if isinstance(names, str) else names

    @field_validator("delimiter")
    @classmethod
    def _delimiter(cls, text: str | None) -> str | None:
        mark = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ","}.get(text or "", text)
        if mark is not None and not (len(mark) == 1 or mark == "::"):
            raise ValueError("must be one character, tab, space or ::")
        return mark

    @field_validator("quote")
    @classmethod
    def _quote(cls, text: str | None) -> str | None:
        mark = "" if text == "none" else text
        if mark is not None and len(mark) > 1:
            raise ValueError("must be one character, or none")
        return mark

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, name: str | None) -> str | None:
        try:
            return None if name is None else codecs.lookup(name).name
        except LookupError:
            raise ValueError("no such encoding; utf-8, latin-1 and utf-16 are some") from None

    @field_validator("decimal")
    @classmethod
    def _one_mark(cls, mark: str) -> str:
        if mark not in (".", ","):
            raise ValueError("must be '.' or ','")
        return mark
