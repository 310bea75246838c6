"""``SideColumns``: columns of users or of items; ``CodedColumn``: a column as levels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from ...base.arrays import Array, Float64, Int32, Int64, row_bounds
from ...base.memory import entries_of
from ...errors import UsageError, nearest

Values = Array
"""Values of a column: float64, NaN if unknown; or objects: texts or tuples of texts (several
labels each), "" if unknown."""

BINS = 10
"""Intervals that numbers of many values are divided into."""
MOST_DISTINCT = 32
"""Largest number of distinct numbers that are used as levels directly."""
FEWEST = 2
"""Rows that must have a level for it to count."""
_ROWS_PER_LEVEL = 10
_TABLES = {
    "people or items": "--people and --items name tables of them",
    "items": "--items names a table of them; networks read no columns of people",
}


@dataclass(frozen=True, eq=False)
class SideColumns:
    """Columns of users or of items, aligned with a vocabulary.

    Attributes:
        columns: The values of each column by its name, in the order of the vocabulary's codes.
    """

    columns: Mapping[str, Values]

    def take(self, codes: npt.NDArray[np.integer[Any]]) -> Self:
        """Select the rows of codes, in that order."""
        return type(self)({name: values[codes] for name, values in self.columns.items()})

    def digest(self) -> str:
        """Return a hash of the names and values."""
        text = repr([(name, values.tolist()) for name, values in self.columns.items()])
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @classmethod
    def decoded(cls, columns: Sequence[CodedColumn]) -> Self | None:
        """Return values that code to the same levels; None without columns or rows."""
        if not columns or not len(columns[0].indptr):
            return None
        return cls({each.name: each.values() for each in columns})

    @classmethod
    def union(cls, parts: Sequence[tuple[SideColumns | None, Int32]], n: int) -> Self | None:
        """Columns of several vocabularies in one of all of them.

        Args:
            parts: The columns of each, if any, and the new code of each of its rows. Of a row that
                several have, the first one's values count.
            n: Size of the new vocabulary.
        """
        columns: dict[str, Values] = {}
        for side, codes in reversed(parts):
            for name, values in {} if side is None else side.columns.items():
                if name in columns and columns[name].dtype != values.dtype:
                    columns[name], values = _as_texts(columns[name]), _as_texts(values)
                numbers = values.dtype.kind == "f"
                if name not in columns:
                    columns[name] = np.full(n, np.nan if numbers else "", dtype=values.dtype)
                known = np.isfinite(values) if numbers else values.astype(bool)
                columns[name][codes[known]] = values[known]
        return cls(columns) if columns else None


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """A column as levels: the levels of each row, none if the value is unknown.

    Attributes:
        name: The column's name.
        levels: Labels of the levels, ascending; for numbers the values themselves or, with more
            than ``MOST_DISTINCT``, the median of each interval.
        indptr: int64 (rows + 1,), start of each row's levels.
        codes: int32 (entries,), the levels, ascending within a row.
    """

    name: str
    levels: tuple[Any, ...]
    indptr: Int64
    codes: Int32

    @classmethod
    def of(cls, name: str, values: Values) -> Self:
        """Make a coded column of the levels that at least ``FEWEST`` rows have."""
        if values.dtype.kind == "f":
            known = np.flatnonzero(np.isfinite(values))
            levels, codes = _intervals(values[known])
            return cls._kept(name, levels, known, codes, len(values))
        labels = [_labels(value) for value in values]
        rows = np.repeat(np.arange(len(values)), [len(each) for each in labels])
        names = sorted({label for each in labels for label in each})
        code_of = {label: code for code, label in enumerate(names)}
        codes = np.array([code_of[n] for each in labels for n in each], dtype=np.int64)
        return cls._kept(name, names, rows, codes, len(values))

    @classmethod
    def _kept(cls, name: str, levels: Sequence[Any], rows: Int64, codes: Int64, n: int) -> Self:
        kept = np.bincount(codes, minlength=len(levels)) >= FEWEST
        rows, codes = rows[kept[codes]], (np.cumsum(kept) - 1)[codes[kept[codes]]]
        indptr = row_bounds(np.bincount(rows, minlength=n))
        labels = tuple(level for level, keep in zip(levels, kept, strict=True) if keep)
        return cls(name, labels, indptr, codes.astype(np.int32))

    def check(self) -> None:
        """Refuse inconsistent arrays, such as those of a damaged file.

        Raises:
            ValueError: The arrays are inconsistent.
        """
        steps, codes = np.diff(self.indptr), self.codes
        bounds = not len(self.indptr) or (self.indptr[0] == 0 and self.indptr[-1] == len(codes))
        if not bounds or (steps < 0).any() or (len(codes) and not len(self.indptr)):
            raise ValueError(f"column {self.name}: row bounds are not in order")
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(self.levels):
            raise ValueError(f"column {self.name}: codes of no level")

    @property
    def counts(self) -> Int64:
        """Levels of each row, int64 (rows,)."""
        return np.diff(self.indptr)

    @property
    def scale(self) -> Float64:
        """One over the root of each row's number of levels, float64 (rows,); 1 for none."""
        return 1.0 / np.sqrt(np.maximum(self.counts, 1))

    def transposed(self) -> tuple[Int64, Int32]:
        """Return the start of each level's rows, int64 (levels + 1,), and the rows, int32."""
        rows = np.repeat(np.arange(len(self.counts), dtype=np.int32), self.counts)
        indptr = row_bounds(np.bincount(self.codes, minlength=len(self.levels)))
        return indptr, rows[np.argsort(self.codes, kind="stable")]

    def values(self) -> Values:
        """Return values that code to the same levels."""
        one = self.counts.max(initial=0) <= 1
        if self.levels and isinstance(self.levels[0], float):
            numbers = np.full(len(self.counts), np.nan)
            numbers[self.counts > 0] = np.array(self.levels)[self.codes]
            return numbers
        out = np.empty(len(self.counts), dtype=object)
        for row, (first, last) in enumerate(zip(self.indptr[:-1], self.indptr[1:], strict=True)):
            labels = tuple(self.levels[code] for code in self.codes[first:last])
            out[row] = "".join(labels) if one else labels
        return out


def _as_texts(values: Values) -> Values:
    """Convert numbers to text as in a column with other texts."""
    if values.dtype.kind != "f":
        return values
    texts = (f"{value:.15g}" if np.isfinite(value) else "" for value in values)
    return np.fromiter(texts, dtype=object)


def _labels(value: Any) -> tuple[str, ...]:
    """Return the labels of a cell, in order and each once."""
    if isinstance(value, tuple):
        return tuple(sorted(set(value)))
    return (value,) if value else ()


def _intervals(numbers: Float64) -> tuple[list[float], Int64]:
    """Levels of numbers, and the level of each."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    if len(distinct) <= MOST_DISTINCT:
        return distinct.tolist(), codes.astype(np.int64)
    edges = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS))
    bins = np.searchsorted(edges, numbers, side="right")
    present, codes = np.unique(bins, return_inverse=True)
    return [float(np.median(numbers[bins == each])) for each in present], codes.astype(np.int64)


class Levels(NamedTuple):
    """The levels that each row has of several columns, numbered one column after the other.

    Attributes:
        indptr: int64 (rows + 1,), start of each row's levels.
        levels: int32 (entries,).
        scale: float64 (entries,), one over the root of the row's number of levels of the column.
        n: Number of levels of all columns.
    """

    indptr: Int64
    levels: Int32
    scale: Float64
    n: int

    def take(self, rows: Int64) -> Levels:
        """Select rows, in that order."""
        indptr, at = entries_of(self.indptr, rows)
        return Levels(indptr, self.levels[at], self.scale[at], self.n)


def stacked(columns: Sequence[CodedColumn]) -> Levels:
    """Return the levels of each row of several columns."""
    n = len(columns[0].counts)
    rows = np.concatenate([np.repeat(np.arange(n), each.counts) for each in columns])
    first = np.cumsum([0, *(len(each.levels) for each in columns)], dtype=np.int32)
    levels = np.concatenate([each.codes + at for each, at in zip(columns, first, strict=False)])
    scale = np.concatenate([np.repeat(each.scale, each.counts) for each in columns])
    order = np.argsort(rows, kind="stable")
    indptr = row_bounds(np.bincount(rows, minlength=n))
    return Levels(indptr, levels[order].astype(np.int32), scale[order], int(first[-1]))


def coded_state(columns: Sequence[CodedColumn], name: str) -> tuple[dict[str, Array], list[Any]]:
    """Return arrays with the prefix ``name`` and JSON-serialisable values to restore."""
    arrays: dict[str, Array] = {}
    for at, each in enumerate(columns):
        arrays[f"{name}.{at}.indptr"], arrays[f"{name}.{at}.codes"] = each.indptr, each.codes
    return arrays, [[each.name, list(each.levels)] for each in columns]


def restored_columns(
    arrays: Mapping[str, Array], name: str, rest: Sequence[Any]
) -> tuple[CodedColumn, ...]:
    """Restore from the output of ``coded_state``.

    Raises:
        ValueError: The arrays are inconsistent.
    """
    columns = []
    for at, (column, levels) in enumerate(rest):
        parts = arrays[f"{name}.{at}.indptr"], arrays[f"{name}.{at}.codes"]
        columns.append(CodedColumn(str(column), tuple(levels), *parts))
        columns[-1].check()
    return tuple(columns)


def coded_columns(
    wanted: bool | Sequence[str],
    sides: Sequence[SideColumns | None],
    label: str,
    noun: str = "people or items",
) -> tuple[tuple[CodedColumn, ...], ...]:
    """Return the columns of each side that a model is to use, as levels.

    Args:
        wanted: Names of columns, each of any of the sides; or whether to take all columns except
            those with more than a level per ten rows, which nearly identify a user.
        sides: For example, columns of users and of items.
        label: The data, for messages.
        noun: What the sides are of, for messages.

    Raises:
        UsageError: No side has a column of a name (with the nearest one).
    """
    columns = [{} if side is None else side.columns for side in sides]
    if not isinstance(wanted, bool):
        names = sorted({name for each in columns for name in each})
        for name in wanted:
            if name not in names:
                known = f"it has {', '.join(names)}" if names else "it has none"
                raise UsageError(
                    f"{label}: no column {name!r} of {noun}{nearest(name, names)}; {known} "
                    f"({_TABLES[noun]})"
                )
        chosen = [{name: each[name] for name in wanted if name in each} for each in columns]
        return tuple(tuple(CodedColumn.of(*pair) for pair in each.items()) for each in chosen)
    if not wanted:
        return tuple(() for _ in columns)
    return tuple(
        tuple(
            coded
            for coded in (CodedColumn.of(*pair) for pair in each.items())
            if len(coded.levels) > 1 and len(coded.levels) * _ROWS_PER_LEVEL <= len(coded.counts)
        )
        for each in columns
    )
