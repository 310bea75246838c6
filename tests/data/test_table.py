from __future__ import annotations

import csv
import errno
import os
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from matinee.base.atomic import write_text
from matinee.data import Table, write_tables
from matinee.errors import MatineeError, UsageError


def table(n: int = 3, start: int = 0) -> Table:
    return Table(
        {
            "user_id": np.arange(start, start + n),
            "item_id": np.array([f"naïve, {i}" for i in range(n)], dtype=object),
            "score": np.linspace(1.0, 2.0, n),
            "rank": np.arange(n, dtype=np.int32),
        }
    )


def test_rows_are_plain_values() -> None:
    rows = list(table(2).rows())
    assert rows[1] == {"user_id": 1, "item_id": "naïve, 1", "score": 2.0, "rank": 1}
    assert type(rows[1]["score"]) is float
    assert type(rows[1]["user_id"]) is int


def test_a_table_is_iterated_by_rows() -> None:
    assert [row["item_id"] for row in table(2)] == ["naïve, 0", "naïve, 1"]
    assert len(list(table(2))) == len(table(2))


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Table({"a": np.arange(2), "b": np.arange(3)})


def test_preview_is_aligned_and_short() -> None:
    lines = repr(table(30)).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "... 30 rows"
    assert lines[0].split() == ["user_id", "item_id", "score", "rank"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (4e-9, "4.00e-09"), (-0.0999, "-0.0999"), (0.1, "0.100"), (12.3456, "12.346")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert repr(Table({"score": np.array([value])})).split()[-1] == text


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "OUT.CSV", "a 'quoted' name.parquet"])
def test_a_stream_is_written_in_order(tmp_path: Path, name: str) -> None:
    parts = [table(500, start) for start in range(0, 5000, 500)]
    path = write_tables(iter(parts), tmp_path / name)
    quoted = str(path).replace("'", "''")
    with duckdb.connect() as db:
        back = db.execute(f"SELECT * FROM '{quoted}'").fetchnumpy()
    whole = Table.concat(parts)
    assert list(back) == list(whole.columns)
    for column in ("user_id", "item_id", "rank"):
        assert back[column].tolist() == whole[column].tolist()
    assert np.allclose(back["score"], whole["score"])
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_parquet_keeps_types_and_nan(tmp_path: Path) -> None:
    score = np.array([1.5, np.nan], dtype=np.float32)
    path = Table({"score": score, "rank": np.array([1, 2], dtype=np.int32)}).write(
        tmp_path / "t.parquet"
    )
    with duckdb.connect() as db:
        types = db.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
        back = db.execute(f"SELECT score FROM '{path}'").fetchnumpy()["score"]
    assert [row[1] for row in types] == ["FLOAT", "INTEGER"]
    assert back[0] == 1.5
    assert not np.isfinite(np.ma.filled(back, np.nan)[1])


def test_any_names_of_columns_are_written(tmp_path: Path) -> None:
    """Names of side columns are the user's."""
    columns = {'a "b"': np.arange(2), "Genre": np.arange(2), "genre": np.array([1.5, 2.5])}
    path = Table(columns).write(tmp_path / "t.parquet")
    with duckdb.connect() as db:
        back = db.execute(f"SELECT * FROM '{path}'").fetchnumpy()
    assert list(back)[:2] == ['a "b"', "Genre"]
    assert [column.tolist() for column in back.values()] == [[0, 1], [0, 1], [1.5, 2.5]]


def test_an_empty_table_has_its_header(tmp_path: Path) -> None:
    path = table(0).write(tmp_path / "t.csv")
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [["user_id", "item_id", "score", "rank"]]


def test_a_failing_stream_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")

    def stream() -> object:
        yield table()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_tables(stream(), path)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.parquet, \.csv or \.tsv"):
        table().write(tmp_path / "t.xlsx")


def test_other_libraries() -> None:
    for library, method in (("pandas", "to_pandas"), ("polars", "to_polars")):
        pytest.importorskip(library)
        frame = getattr(table(), method)()
        assert list(frame.columns) == ["user_id", "item_id", "score", "rank"]
        assert list(frame["item_id"]) == ["naïve, 0", "naïve, 1", "naïve, 2"]
    pytest.importorskip("pyarrow")
    assert table().to_arrow().to_pylist() == list(table().rows())


def test_text_columns_without_rows_are_text() -> None:
    """So that the batches of ``recommend_all`` can be put together, an empty one among them."""
    pa, pl, pd = map(pytest.importorskip, ("pyarrow", "polars", "pandas"))
    parts = [table().take(slice(0, 0)), table()]
    assert pa.concat_tables([part.to_arrow() for part in parts]).num_rows == len(table())
    assert pl.concat([part.to_polars() for part in parts]).height == len(table())
    types = [part.to_pandas().dtypes for part in parts]
    assert types[0].equals(types[1])
    assert pd.concat([part.to_pandas() for part in parts]).dtypes.equals(types[1])


def test_a_read_only_file_system_is_named_with_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses to remove even what is not there."""

    def refuse(path: Path, *_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(duckdb, "connect", lambda file: refuse(Path(file).with_suffix(".tmp")))
    for write in (table().write, lambda path: write_text(path, "")):
        with pytest.raises(MatineeError, match=r"t\.csv: cannot write: Read-only"):
            write(tmp_path / "t.csv")
