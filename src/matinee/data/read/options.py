"""How a table is read: ``ReadOptions``, and with the names of its columns ``TableOptions``."""

from __future__ import annotations

import codecs
import re
from typing import Any, Literal

from pydantic import Field, field_validator

from ...config import Config
from ..values.times import TimeUnit

Repeats = Literal["last", "mean", "sum", "error"]
"""What becomes of repeated ratings of one item by one user: the last by time is kept, their mean is
taken, the weights of interactions are added up, or they are an error."""


class ReadOptions(Config):
    """How text is laid out, and which rows are read."""

    delimiter: str | None = None
    """The column separator of text files, such as ``,``, ``;`` or ``tab``."""
    quote: str | None = None
    """The quote mark of text files; ``none`` if quote marks have no meaning."""
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
    """Leave out ratings outside the stated scale, with a note, instead of an error."""
    keep_missing_ids: bool = False
    """Keep ids such as NA, NULL and None as text, instead of treating them as missing."""
    decimal: str = "."
    """The decimal mark of numbers in text, such as ratings, times, and ids written as ``1,0``."""
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
        if mark is not None and re.fullmatch(r"\\x[0-9a-fA-F]{2}", mark):
            mark = chr(int(mark[2:], 16))
        if mark is not None and not (len(mark) == 1 or mark == "::"):
            raise ValueError(r"must be one character, tab, space, :: or a code such as \x01")
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


class TableOptions(ReadOptions):
    """The reading options that describe a table, as a TOML file or a study states them."""

    user: str | None = None
    """Column of the user id; of a file without a header its number, from 1."""
    item: str | None = None
    """Column of the item id."""
    rating: str | None = None
    """Column of the rating."""
    time: str | None = None
    """Column of the time."""
    weight: str | None = None
    """Column of the weight of each rating or interaction in training, such as plays; ``none``
    leaves out the weights that a split folder was written with."""
    scale: tuple[float, float] | None = None
    """The range ratings may have, as in 1:5; one outside it is an error. By default the range
    seen."""
    missing: tuple[float, ...] = ()
    """Ratings that mean 'not rated', as in 0,-1: their rows are left out."""
    repeats: Repeats = "last"
    """What to do with a user's repeated rating of one item: keep the last by time (last; the
    default), take their mean (mean), add up the weights of interactions (sum), or stop (error)."""
    items: str | None = None
    """A table of titles and genres by item id; by default one beside the ratings, or columns of the
    ratings' own table."""
    item_id: str | None = None
    """Column of the item id in the table of titles; by default the one with the most of the rated
    items."""
    title: str | None = None
    """Column of the title there."""
    genres: str | None = None
    """Column of the genres there."""
    people: str | None = None
    """A table of user columns, by user id, such as age or country; by default one beside
    the ratings."""
    person_id: str | None = None
    """Column of the user id in the table of people."""

    @field_validator("user", "item", "rating", "time", "weight", mode="before")
    @classmethod
    def _number(cls, column: Any) -> Any:
        return str(column) if type(column) is int else column

    @field_validator("scale", "missing", mode="before")
    @classmethod
    def _numbers(cls, values: Any) -> Any:
        if isinstance(values, str):
            return re.split("[:,]", values)
        return [values] if isinstance(values, int | float) else values

    def stated(self) -> dict[str, Any]:
        """Return the options that were stated, as arguments of ``load``."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}
