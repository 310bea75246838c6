"""Tables that are in memory already: pandas, polars, Arrow, and dicts of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...base.arrays import Array, as_array, nested
from ...errors import DataError, UsageError
from ..values.ids import canonical_array, mixed_texts
from .columns import ITEM, USER, recognised
from .layouts.positions import is_time
from .source import Scan, Workspace, described

_KINDS = (
    "a path, a glob, a data set's name, a pandas, polars or Arrow table, a DuckDB relation, a "
    "sparse matrix of scipy, a structured array, rows as (user, item, rating) tuples, a mapping of "
    "arrays, histories as {user: {item: rating}}, or Ratings"
)
_ROWS = ("user", "item", "rating", "time")
"""What the columns of rows without names are, from two of them on."""


def open_frame(source: Any, work: Workspace, label: str, *, unnamed: bool = False) -> Scan:
    """Open a table in memory. Rows are not copied if DuckDB can scan them directly.

    If ``unnamed``, columns named 0, 1, 2 are user, item, rating and time, which they are not if
    the caller has mapped columns.

    Raises:
        UsageError: It is no table.
        DataError: The columns differ in length.
    """
    notes: tuple[str, ...] = ()
    if unnamed and _is_unnamed(source):
        source = source.set_axis(_names(source[2], source.shape[1]), axis=1)
        notes = (f"columns without names are read as {', '.join(source.columns)}",)
    elif _is_unnamed_series(source):
        notes = (
            "values without a name are read as ratings; of counts, such as groupby(...).size() "
            "gives, pass series.rename('count')",
        )
    table = _scannable(source)
    if table is None:
        raise UsageError(
            f"cannot read ratings from {type(source).__name__}; {_remedy(source)}give {_KINDS}"
        )
    _refuse_twins(table, label)
    if isinstance(table, dict):
        lengths = {name: len(column) for name, column in table.items()}
        if len(set(lengths.values())) > 1:
            message = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DataError(f"{label}: columns differ in length: {message}")
        if not table:
            raise DataError(f"{label}: has no columns")
    work.con.register("frame", table)
    return Scan(
        relation="frame",
        columns=described(work, "frame"),
        label=label,
        locate=lambda row: f"{label}, row {row + 1} (counted from 1)",
        notes=notes,
    )


def _remedy(source: Any) -> str:
    """Advise on an object that is not a table, if its type does not make that obvious."""
    if isinstance(source, np.ndarray) and source.ndim == 2:
        return (
            "of an array a with a row for each rating, give {'user': a[:, 0], 'item': a[:, 1], "
            "'rating': a[:, 2]}, of a matrix of users by items scipy.sparse.csr_matrix(a); else "
        )
    if isinstance(source, list | tuple) and any(hasattr(row, "columns") for row in source):
        return "put tables together first, as pandas.concat and polars.concat do; else "
    if isinstance(source, list | tuple) and all(
        isinstance(row, list | tuple | np.ndarray) for row in source
    ):
        return (
            "its rows differ in length, or are no user, item, rating and time; of columns u, i and "
            "r, give {'user': u, 'item': i, 'rating': r}; else "
        )
    if hasattr(source, "compute"):
        return "pass its .compute(); else "
    if hasattr(source, "read"):
        return "give the path of its file, or read it into a table (pandas.read_csv); else "
    return ""


def _is_unnamed(source: Any) -> bool:
    """Return whether a pandas frame has numbers for names, as of a file without a header."""
    if type(source).__module__.partition(".")[0] != "pandas":
        return False
    names = list(getattr(source, "columns", ()))
    count = len(names)
    return 2 < count <= len(_ROWS) and all(
        type(name) is int and name == at for at, name in enumerate(names)
    )


def _is_unnamed_series(source: Any) -> bool:
    """Return whether the source is an unnamed pandas Series by user and item, such as counts."""
    if type(source).__module__.partition(".")[0] != "pandas" or not hasattr(source, "name"):
        return False
    return source.name is None and source.index.nlevels > 1


def _refuse_twins(table: Any, label: str) -> None:
    """Refuse column names that are equal or differ only in case, as DuckDB's SQL ignores case.

    Raises:
        DataError: Naming two.
    """
    names = list(table) if isinstance(table, dict) else table.schema.names
    seen: dict[str, str] = {}
    for name in names:
        if name in seen.values():
            raise DataError(f"{label}: two columns are called {name!r}; rename one")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise DataError(
                f"{label}: columns {other!r} and {name!r} differ only in case; rename one"
            )


def _scannable(source: Any) -> Any:
    """Return what DuckDB scans: an Arrow table, or a dict of numpy columns."""
    package = type(source).__module__.partition(".")[0]
    if package == "scipy" and hasattr(source, "tocoo"):
        if source.ndim != 2:
            raise DataError(f"a sparse array of {source.ndim} dimensions is not users by items")
        matrix = source.tocoo()
        return {"user": matrix.row, "item": matrix.col, "rating": _column(matrix.data, "rating")}
    if isinstance(source, Mapping):
        if source and all(isinstance(values, Mapping) for values in source.values()):
            return _of_mappings(source)
        _check_keys(source)
        return {str(name): _column(values, name) for name, values in source.items()}
    if package in ("duckdb", "_duckdb") and hasattr(source, "fetchnumpy"):
        columns = source.fetchnumpy()
        if columns is None:
            raise UsageError("the DuckDB connection holds no result; pass con.sql('select ...')")
        return {str(name): _column(values, name) for name, values in columns.items()}
    if isinstance(source, np.ndarray) and source.dtype.names is not None and source.ndim == 1:
        return {name: _column(np.asanyarray(source[name]), name) for name in source.dtype.names}
    if package == "polars":
        return _polars(source)
    if package == "pandas":
        return _pandas(source)
    if package == "pyarrow" and hasattr(source, "to_table"):  # a data set, or a scanner of one
        return source if hasattr(source, "schema") else _plain_arrow(source.to_table())
    tabular = package != "pyarrow" or hasattr(source, "schema")  # not a column of Arrow
    if hasattr(source, "__arrow_c_stream__") and tabular:
        # A table, batches or a reader of Arrow, which can be read once, such as those of narwhals.
        import pyarrow as pa

        return _plain_arrow(pa.table(source))
    if isinstance(source, tuple) and all(isinstance(column, np.ndarray) for column in source):
        return None  # Columns: rows would be transposed if there are as few.
    if isinstance(source, list | tuple | Iterator) and not hasattr(source, "read"):
        names = [str(column[0]) for column in getattr(source, "description", None) or ()]
        return _of_rows([_by_name(row, names) for row in source])
    if hasattr(source, "to_pandas"):  # a data set of Hugging Face, say
        return _pandas(source.to_pandas())
    return None


def _of_mappings(source: Mapping[Any, Mapping[Any, Any]]) -> dict[str, Array]:
    """Return the columns of histories, {user: {item: rating}}.

    With the usual names of a user and an item column as keys, they are columns by row instead, as
    ``DataFrame.to_dict()`` gives them.

    Raises:
        DataError: Columns differ in their rows.
    """
    if recognised([str(name) for name in source], (USER, ITEM), {}) == 2:
        rows = [list(values) for values in source.values()]
        if any(each != rows[0] for each in rows):
            raise DataError("columns are mappings whose keys differ; give each as a list")
        return {str(n): _column(list(values.values()), n) for n, values in source.items()}
    histories = [(user, *pair) for user, history in source.items() for pair in history.items()]
    columns = zip(*histories, strict=True) if histories else ((), (), ())
    return {name: _column(list(each), name) for name, each in zip(_ROWS, columns, strict=False)}


def _by_name(row: Any, names: list[str]) -> Any:
    """Convert a row with named values to a mapping: a named tuple, or a database row."""
    if names or hasattr(row, "_fields"):
        return dict(zip(names or row._fields, row, strict=True))
    return dict(row) if hasattr(row, "keys") and not hasattr(row, "columns") else row


def _plain_arrow(table: Any) -> Any:
    """Return an Arrow table without the types that DuckDB cannot scan."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        kind = pa.float32() if pa.types.is_float16(field.type) else None
        if pa.types.is_decimal256(field.type):
            kind = pa.string()
        if kind is not None:
            table = table.set_column(at, field.name, table.column(at).cast(kind))
    return table


def _check_keys(columns: Mapping[Any, Any]) -> None:
    """Refuse columns that are no sequences of values.

    Raises:
        DataError: Naming the first.
    """
    for name, values in columns.items():
        if isinstance(values, Mapping | set | frozenset | str | bytes) or not (
            hasattr(values, "__len__") or hasattr(values, "__iter__")
        ):
            raise DataError(
                f"column {str(name)!r} is of type {type(values).__name__}; give each column as a "
                "list or an array with a value for each rating, or rows as a list of "
                "(user, item, rating)"
            )
    indexes = [values.index for values in columns.values() if hasattr(values, "reset_index")]
    if len({len(index) for index in indexes}) == 1:
        for index in indexes[1:]:
            if not index.equals(indexes[0]):
                raise DataError(
                    "columns are Series whose indexes differ; align them with "
                    "pandas.DataFrame(columns), or give their values with .to_numpy()"
                )


def _of_rows(rows: list[Any]) -> Any:
    """A list of tuples (user, item, rating and perhaps time), or of mappings alike, by column."""
    if not rows:
        return {name: _column([]) for name in _ROWS[:3]}
    if all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {str(name): _column([row.get(name) for row in rows], name) for name in names}
    widths = {len(row) if isinstance(row, list | tuple | np.ndarray) else 0 for row in rows}
    if len(widths) != 1 or not widths <= {2, 3, 4}:
        return None
    if any(hasattr(value, "iloc") for value in rows[0]):
        return None  # The pairs of DataFrame.iterrows().
    columns = list(zip(*rows, strict=True))
    roles = _names(columns[-1], len(columns))
    return {name: _column(column, name) for name, column in zip(roles, columns, strict=True)}


def _names(third: Iterable[Any], width: int) -> tuple[str, ...]:
    """Return the names of columns without names; the third of three may hold times."""
    timed = width == 3 and all(is_time(str(value)) for value in third)
    return ("user", "item", "time") if timed else _ROWS[:width]


def _polars(source: Any) -> Any:
    frame = source.collect() if hasattr(source, "collect") else source
    if not hasattr(frame, "columns"):
        return None
    # Arrow would store the addresses of Python objects.
    objects = any(str(dtype) == "Object" for dtype in frame.dtypes)
    table = None if objects else _arrow(lambda: _plain_arrow(frame.to_arrow()))
    return table or {name: _column(frame[name].to_list(), name) for name in frame.columns}


def _pandas(frame: Any) -> Any:
    import pandas as pd

    if isinstance(frame, pd.Series) and frame.index.nlevels > 1:
        frame = frame.to_frame(frame.name or "rating")  # As from a mean over groups.
    if not isinstance(frame, pd.DataFrame):
        return None
    # The users may be in the index, or in both.
    known = set(frame.columns.tolist())
    named = [name for name in frame.index.names if name is not None and name not in known]
    drop = [level for level, name in enumerate(frame.index.names) if name not in named]
    if named:
        if drop:
            frame = frame.set_index(frame.index.droplevel(drop))
        frame = frame.reset_index()
    if not frame.columns.is_unique:
        twice = next(iter(frame.columns[frame.columns.duplicated()]))
        raise DataError(f"two columns are called {twice!r}; rename one")
    frame = frame.rename(columns=str)
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.PeriodDtype):
            frame = frame.assign(**{str(name): frame[name].dt.to_timestamp()})
        elif str(dtype) == "float16":
            frame = frame.assign(**{str(name): frame[name].astype("float32")})

    def table() -> Any:
        import pyarrow as pa

        return pa.Table.from_pandas(frame, preserve_index=False)

    return _arrow(table) or {name: _column(frame[name].to_numpy(), name) for name in frame.columns}


def _arrow(make: Any) -> Any:
    """Make an Arrow table; None if pyarrow is absent or a column has mixed types."""
    try:
        return make()
    except ImportError:
        return None
    except Exception as error:
        if type(error).__module__.startswith("pyarrow") or isinstance(
            error, TypeError | OverflowError | UnicodeEncodeError
        ):
            return None
        raise


def _column(values: Any, name: Any = "") -> Array:
    """Return a numpy column that DuckDB scans: plain numbers, times, or an object array of text."""
    array = as_array(values) if hasattr(values, "__array__") else _listed(values)
    if array.ndim != 1:
        raise DataError(f"column {name!r} has {array.ndim} dimensions; it must have one")
    if array.dtype.kind == "O":
        several = nested(array)
        if several.any():  # a column of lists, which are no ids
            lists = [
                list(map(str, v)) if s else [str(v)] for v, s in zip(array, several, strict=True)
            ]
            return np.fromiter(lists, dtype=object)
        return mixed_texts(array)
    if array.dtype.kind == "U":
        return array.astype(object)
    if array.dtype.kind == "T":
        return mixed_texts(array)
    if array.dtype.kind == "S":
        return canonical_array(array)
    if array.dtype == np.float16 or array.dtype == np.longdouble:
        return array.astype(np.float64)
    if array.dtype.kind == "M":
        return np.ascontiguousarray(array.astype("datetime64[us]"))
    if array.dtype.kind not in "iufb":
        raise DataError(f"column {name!r} is {array.dtype}; make it numbers or text")
    # DuckDB scans no array that runs backwards.
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _listed(values: Iterable[Any]) -> Array:
    items = list(values)
    if any(not isinstance(item, (int, float, np.number)) for item in items):
        return np.fromiter(items, dtype=object)
    return np.array(items)
