"""``Table``: the small columnar result of recommending and scoring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from ..base.arrays import Array
from ..base.atomic import atomic_path
from ..base.html import paragraphs, table
from ..base.text import aligned, three_digits
from ..errors import UsageError, install_command
from .read.source import literal, quoted

_FORMATS = {
    ".parquet": "(FORMAT parquet, COMPRESSION zstd)",
    ".csv": "(FORMAT csv, HEADER)",
    ".tsv": "(FORMAT csv, HEADER, DELIMITER '\t')",
}
_FORMULA = "=+-@\t\r"
_SHOWN = 10
_WIDEST = 48


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of one length.

    Attributes:
        columns: Column arrays by name, in order; numbers, or object arrays of ``str``.
    """

    columns: dict[str, Array]

    def __post_init__(self) -> None:
        if len({len(column) for column in self.columns.values()}) > 1:
            lengths = {name: len(column) for name, column in self.columns.items()}
            raise ValueError(f"columns differ in length: {lengths}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows, as in ``rows``."""
        return self.rows()

    def __repr__(self) -> str:
        lines = aligned([list(self.columns), *self._head()], self._numbers())
        if len(self) > _SHOWN:
            lines.append(f"... {len(self):,} rows")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = table(list(self.columns), self._head(), numbers=self._numbers())
        return shown + (paragraphs([f"{len(self):,} rows"]) if len(self) > _SHOWN else "")

    def _head(self) -> list[list[str]]:
        return [[_text(v) for v in row.values()] for row in self.take(slice(0, _SHOWN)).rows()]

    def _numbers(self) -> list[int]:
        return [at for at, c in enumerate(self.columns.values()) if c.dtype.kind in "iuf"]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as dictionaries of plain Python values."""
        names = list(self.columns)
        for values in self.tuples():
            yield dict(zip(names, values, strict=True))

    def tuples(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as tuples of plain Python values, in the order of the columns."""
        return zip(*(column.tolist() for column in self.columns.values()), strict=True)

    def take(self, rows: slice | Array) -> Table:
        """Select rows: a slice, positions or a mask."""
        return Table({name: column[rows] for name, column in self.columns.items()})

    @classmethod
    def of_rows(cls, rows: Sequence[dict[str, Any]], names: Sequence[str] = ()) -> Table:
        """Return a table of rows; without any, one of empty text columns ``names``."""
        columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else names)}
        text = {n for n, values in columns.items() if any(isinstance(v, str) for v in values)}
        return cls(
            {n: np.array(c, object if n in text or not c else None) for n, c in columns.items()}
        )

    @classmethod
    def concat(cls, tables: Sequence[Table]) -> Table:
        """One table under another; all have the same columns.

        Raises:
            ValueError: No tables, or their columns differ.
        """
        if not tables or any(list(t.columns) != list(tables[0].columns) for t in tables):
            raise ValueError("concat needs at least one table, all with the same columns")
        return cls({n: np.concatenate([t.columns[n] for t in tables]) for n in tables[0].columns})

    def without_formulas(self) -> tuple[Table, int]:
        """Return the same with a ``'`` before text that a spreadsheet takes for a formula.

        That is text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return.

        Returns:
            The table, and the number of changed cells.
        """
        columns, count = dict(self.columns), 0
        for name, column in columns.items():
            if column.dtype.kind not in "OU":
                continue
            risky = np.array([str(value)[:1] in _FORMULA for value in column], dtype=bool)
            risky &= column != ""
            if risky.any():
                count += int(risky.sum())
                changed = column.astype(object)
                changed[risky] = ["'" + str(value) for value in column[risky]]
                columns[name] = changed
        return Table(columns), count

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame`` (needs ``matinee[tables]``)."""
        # Without rows pandas cannot see that objects are texts.
        return library("pandas").DataFrame(
            {
                n: c if len(c) or c.dtype != object else c.astype(str)
                for n, c in self.columns.items()
            }
        )

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame`` (needs ``matinee[tables]``)."""
        polars = library("polars")
        return polars.DataFrame(
            {
                n: polars.Series(c.tolist(), dtype=polars.String) if c.dtype == object else c
                for n, c in self.columns.items()
            }
        )

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table`` (needs ``matinee[tables]``)."""
        arrow = library("pyarrow")
        return arrow.table(
            {
                n: arrow.array(c, arrow.string()) if c.dtype == object else c
                for n, c in self.columns.items()
            }
        )

    def write(self, path: Path | str) -> Path:
        """Write as ``.parquet``, ``.csv`` or ``.tsv``; an interrupted write leaves the old file.

        Raises:
            UsageError: The name ends in none of these.
            MatineeError: The place cannot be written to.
        """
        return write_tables([self], path)


def write_tables(tables: Iterable[Table], path: Path | str) -> Path:
    """Write a stream of tables as one file, in bounded memory, atomically; return its path.

    The rows are collected in a DuckDB file beside the target, and copied at the end.

    Args:
        tables: At least one table, all with the same columns and dtypes.
        path: A ``.parquet``, ``.csv`` or ``.tsv`` file.

    Raises:
        UsageError: The name ends in none of these.
        MatineeError: The place cannot be written to.
    """
    target = Path(path).expanduser()
    options = copy_options(target)
    with atomic_path(target) as out:
        stage = out.with_suffix(".stage")
        try:
            _gather(tables, stage, out, options)
        finally:
            for file in (stage, stage.with_suffix(".stage.wal")):
                with suppress(OSError):
                    file.unlink()
    return target


def copy_options(path: Path) -> str:
    """The options of DuckDB's COPY for a file name, or a UsageError naming the endings allowed."""
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"{path}: name it .parquet, .csv or .tsv") from None


def _gather(tables: Iterable[Table], stage: Path, out: Path, options: str) -> None:
    names: list[str] = []
    with duckdb.connect(str(stage)) as db:
        for table in tables:
            first, names = not names, names or list(table.columns)
            # In SQL, names that differ only in case are the same.
            chunk = {f"c{at}": _plain(table[name]) for at, name in enumerate(names)}
            db.register("chunk", chunk)
            if first:
                # Objects are texts; without rows DuckDB cannot see that.
                typed = (
                    f"{name}::VARCHAR AS {name}" if column.dtype == object else name
                    for name, column in chunk.items()
                )
                db.execute(f"CREATE TABLE rows AS SELECT {', '.join(typed)} FROM chunk LIMIT 0")
            db.execute("INSERT INTO rows SELECT * FROM chunk")
            db.unregister("chunk")
        if not names:
            raise ValueError("there is nothing to write: not even an empty table")
        renamed = ", ".join(f"c{at} AS {quoted(name)}" for at, name in enumerate(names))
        source = f"SELECT {renamed} FROM rows ORDER BY rowid"
        db.execute(f"COPY ({source}) TO {literal(str(out))} {options}")


def _plain(column: Array) -> Array:
    return column.astype(object) if column.dtype.kind in "US" else column


def _text(value: Any) -> str:
    text = three_digits(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def library(name: str, extra: str = "tables") -> Any:
    """Import a library of an extra of this package.

    Raises:
        UsageError: It is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise UsageError(f"{name} is not installed; run: {install_command(extra)}") from None
