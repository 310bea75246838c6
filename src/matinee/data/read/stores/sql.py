"""The result of a query as a table, from a DuckDB or SQLite file, a database, or DuckDB itself."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import duckdb

from ....base.text import without_password
from ....errors import DataError, UsageError
from ..source import Scan, Workspace, described, literal, reason
from .alchemy import keep_remote, keep_rows

_CHUNK = 1 << 17
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+]+:")


def open_query(sql: str, database: str | Path | None, work: Workspace) -> Scan:
    """Run a query and keep its result, so that its rows stay in one order.

    Args:
        sql: A SELECT, in the database's own dialect.
        database: A DuckDB or SQLite file, a ``postgresql://`` or ``mysql://`` URL or another of
            SQLAlchemy's, or ``NAME:ADDRESS`` of an extension of DuckDB; None for DuckDB itself,
            which can read files.
        work: Where to keep the result.

    Raises:
        DataError: The database cannot be read, or refuses the query.
    """
    if not sql.strip(" \t\r\n;"):
        raise UsageError("--sql is empty; give a query such as 'select user, item, rating from t'")
    label = "the query" if database is None else f"the query of {without_password(str(database))}"
    if database is None:
        _keep(sql, work, label)
    elif "://" in str(database):
        keep_remote(sql, str(database), without_password(str(database)), work)
    elif _ADDRESS.match(str(database)) and not Path(database).exists():
        _attach_extension(str(database), work)
        _keep(sql, work, label)
    else:
        path = Path(database).expanduser()
        if not path.is_file():
            raise DataError(f"--database {path}: no such file")
        with path.open("rb") as file:
            head = file.read(16)
        if head.startswith(b"SQLite format 3") or not head:
            _keep_sqlite(sql, path, work, label)
        elif head[8:12] == b"DUCK":
            _attach(str(path.resolve()), work, str(path))
            _keep(sql, work, label)
        else:
            raise DataError(f"--database {path}: neither a DuckDB nor an SQLite file")
    return Scan(
        relation="work.main.result",
        columns=described(work, "work.main.result"),
        label=label,
        locate=lambda row: f"{label}, row {row + 1}",
    )


def _keep(sql: str, work: Workspace, label: str) -> None:
    try:
        statements = work.con.extract_statements(sql)
        if len(statements) != 1:
            raise UsageError(f"--sql has {len(statements)} statements; give one SELECT")
        work.con.execute(f"CREATE TABLE work.main.result AS {sql}")
    except duckdb.Error as error:
        raise DataError(f"{label}: {reason(error, work.folder)}") from None
    finally:
        work.con.execute("USE work.main")


def _attach(database: str, work: Workspace, label: str) -> None:
    try:
        work.con.execute(f"ATTACH {literal(database)} AS source (READ_ONLY)")
        work.con.execute("USE source")
    except duckdb.Error as error:
        raise DataError(f"--database {label}: {without_password(reason(error))}") from None


def _attach_extension(address: str, work: Workspace) -> None:
    """Attach a source read by an extension of DuckDB, such as ``ducklake:FILE``."""
    _extension(address.partition(":")[0].lower(), work)
    _attach(address, work, without_password(address))


def _extension(name: str, work: Workspace) -> None:
    """Load a DuckDB extension, fetching it at first use."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise UsageError(f"--database: cannot attach {name!r}; give a file or a postgresql:// URL")
    try:
        work.con.execute(f"LOAD {name}")
    except duckdb.Error:
        try:
            work.con.execute(f"INSTALL {name}")
            work.con.execute(f"LOAD {name}")
        except duckdb.Error as error:
            raise DataError(
                f"--database: {name} needs DuckDB's {name} extension, which is fetched over the "
                f"network at first use, and that failed ({reason(error)}); fetch it where there "
                f"is a network (duckdb -c 'INSTALL {name}'), or export the query to csv and read "
                "that"
            ) from None


def _keep_sqlite(sql: str, path: Path, work: Workspace, label: str) -> None:
    """Stream a query's result from SQLite with Python's standard module."""
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            cursor = database.execute(sql)
            if cursor.description is None:
                raise DataError(f"{label}: gives no rows; --sql must be a SELECT")
            names = [str(column[0]) for column in cursor.description]
            keep_rows(names, iter(lambda: cursor.fetchmany(_CHUNK), []), work)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise DataError(f"{label}: {error}") from None
