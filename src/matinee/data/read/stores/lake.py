"""Tables of data lakes (Delta and Iceberg), in which some files are not current.

Needs ``matinee[lakes]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from ....errors import DataError, MatineeError, install_command
from ..source import Scan, Workspace, described

Lake = Literal["Delta", "Iceberg"]
_INNER = ("_delta_log", "metadata", ".hoodie")
"""Folders by which lake tables are known."""


def lake_of(folder: Path, inner: Sequence[str]) -> Lake | None:
    """Return the format of the lake table that a folder is, or None.

    Raises:
        DataError: It is a table of a format that is not read.
    """
    if "_delta_log" in inner:
        return "Delta"
    if "metadata" in inner and any((folder / "metadata").glob("*.metadata.json")):
        return "Iceberg"
    if ".hoodie" in inner:
        raise DataError(
            f"{folder}: is a Hudi table, whose files are not all part of it now; write it as "
            "parquet"
        )
    return None


def refuse_part(file: Path) -> None:
    """Refuse a Parquet file, or those of a folder, that a lake table around them may have dropped.

    Raises:
        DataError: The file is in a lake table.
    """
    if file.suffix.lower() != ".parquet":
        return
    for folder in file.resolve().parents:
        inner = [name for name in _INNER if (folder / name).is_dir()]
        lake = lake_of(folder, inner) if inner else None
        if lake is not None:
            raise DataError(
                f"{file}: is a file of {_article(lake)} {lake} table, which may not be part of it "
                f"now; read {folder}, or this file by --sql \"select * from '{file}'\""
            )


def open_lake(folder: Path, lake: Lake, work: Workspace) -> Scan:
    """Read the present state of a lake table into the table ``work.main.lake``.

    Raises:
        DataError: The library that reads it is not installed, or cannot read it.
    """
    try:
        batches, state = (_delta if lake == "Delta" else _iceberg)(folder)
        work.con.register("batches", batches)
        work.con.execute("CREATE OR REPLACE TABLE work.main.lake AS SELECT * FROM batches")
        work.con.unregister("batches")
    except ImportError:
        raise DataError(
            f"{folder}: is {_article(lake)} {lake} table, whose files are not all part of it now; "
            f"to read it: {install_command('lakes')}, or write it as parquet"
        ) from None
    except MatineeError:
        raise
    except Exception as error:  # These libraries have errors of many kinds.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(f"{folder}: the {lake} table cannot be read: {lines[0]}") from None
    return Scan(
        relation="work.main.lake",
        columns=described(work, "work.main.lake"),
        label=str(folder),
        locate=lambda row: f"{folder}, row {row + 1}",
        notes=(f"read as {_article(lake)} {lake} table, at {state}",),
    )


def _delta(folder: Path) -> tuple[Any, str]:
    from deltalake import DeltaTable

    table = DeltaTable(str(folder))
    return table.to_pyarrow_dataset().scanner().to_reader(), f"version {table.version()}"


def _iceberg(folder: Path) -> tuple[Any, str]:
    from pyiceberg.table import StaticTable

    # 00002-UUID.metadata.json, or v2.metadata.json.
    files = list((folder / "metadata").glob("*.metadata.json"))
    newest = max(files, key=lambda file: (_number(file), file.stat().st_mtime_ns))
    table = StaticTable.from_metadata(str(newest))
    return table.scan().to_arrow_batch_reader(), newest.name.removesuffix(".metadata.json")


def _number(file: Path) -> int:
    match = re.match(r"v?(\d+)", file.name)
    return int(match[1]) if match else -1


def _article(lake: Lake) -> str:
    return "an" if lake == "Iceberg" else "a"
