"""Queries of PostgreSQL, MySQL and other databases by SQLAlchemy. Needs ``matinee[databases]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....base.arrays import Array
from ....errors import DataError, UsageError, install_command
from ...values.ids import mixed_texts
from ..source import Workspace, quoted

_CHUNK = 1 << 17
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""The driver of ``matinee[databases]`` for a URL that names none."""


def keep_remote(sql: str, url: str, shown: str, work: Workspace) -> None:
    """Stream a query's result out of a database into the table ``work.main.result``.

    Nothing is ever committed: PostgreSQL transactions are read-only, and SQLite, which commits
    ``DROP TABLE`` implicitly, accepts only queries.

    Raises:
        UsageError: SQLAlchemy or the driver is not installed, or the URL is invalid.
        DataError: The database cannot be reached, or refuses the query.
    """
    try:
        import sqlalchemy as sa
    except ImportError:
        raise UsageError(
            f"--database {shown}: SQLAlchemy is not installed; run: "
            f"{install_command('databases')}, or export the query to csv and read that"
        ) from None
    label = f"the query of {shown}"
    scheme, _, rest = url.partition("://")
    try:
        engine = sa.create_engine(f"{_DRIVERS.get(scheme.lower(), scheme)}://{rest}")
    except (ImportError, sa.exc.NoSuchModuleError) as error:
        raise UsageError(
            f"--database {shown}: its driver is not installed ({error}); run: pip install "
            "'matinee[databases]' for PostgreSQL and MySQL, or install SQLAlchemy's driver for it"
        ) from None
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError(f"--database {shown}: no database URL ({error})") from None
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file and not file.startswith((":", "file:")) and not Path(file).exists():
        # Connecting would create it.
        raise DataError(
            f"--database {shown}: no such file: {file} (sqlite:/// begins a relative path, "
            "sqlite://// an absolute one)"
        )
    try:
        with engine.connect() as connection:
            options: dict[str, Any] = {
                "stream_results": True,
                "yield_per": _CHUNK,
                "no_parameters": True,
            }
            if engine.dialect.name == "postgresql":
                options["postgresql_readonly"] = True
            elif engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            connection = connection.execution_options(**options)
            rows = connection.exec_driver_sql(sql)
            if not rows.returns_rows:
                raise DataError(f"{label}: gives no rows; --sql must be a SELECT")
            keep_rows(list(rows.keys()), rows.partitions(_CHUNK), work)
    except sa.exc.SQLAlchemyError as error:
        raise DataError(f"{label}: {_cause(error)}") from None
    finally:
        engine.dispose()


def keep_rows(names: Sequence[str], chunks: Any, work: Workspace) -> None:
    """Make the table ``work.main.result`` from chunks of rows, every value as text."""
    columns = ", ".join(f"{quoted(name)} VARCHAR" for name in names)
    work.con.execute(f"CREATE TABLE work.main.result ({columns})")
    for rows in chunks:
        chunk = {str(at): _chunk(column) for at, column in enumerate(zip(*rows, strict=True))}
        work.con.register("chunk", chunk)
        work.con.execute("INSERT INTO work.main.result SELECT * FROM chunk")
        work.con.unregister("chunk")


def _chunk(values: Sequence[Any]) -> Array:
    kinds = set(map(type, values))
    if kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63:
        return np.array(values, dtype=np.int64)
    if kinds == {float}:
        floats = np.array(values, dtype=np.float64)
        whole = floats == np.floor(floats)
        if not (whole.all() and (np.abs(floats) < 2**53).all()):
            return floats
        return floats.astype(np.int64)
    return mixed_texts(values)


def _cause(error: Exception) -> str:
    """Return the first line of a database's message, without SQLAlchemy's advice and query."""
    cause = getattr(error, "orig", None) or error
    if len(getattr(cause, "args", ())) > 1:  # MySQL: (number, text)
        return " ".join(str(arg) for arg in cause.args).strip()
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return lines[0].strip()
