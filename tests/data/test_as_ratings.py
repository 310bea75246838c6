"""Every public function takes what ``load`` takes."""

import io
import sqlite3
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
import scipy.sparse
import torch

import matinee
from matinee import MatineeError, UsageError, load
from matinee.data import audit, describe, kfold, split_parts, split_three
from matinee.errors import DataError

ROWS = [(u, i, 1 + (u * i) % 5) for u in range(1, 9) for i in range(1, 7)]
FRAME = pd.DataFrame(ROWS, columns=["user", "item", "rating"])


def cursor(kind: type[sqlite3.Row] | None = None) -> sqlite3.Cursor:
    """The rows in a database, asked for in another order."""
    con = sqlite3.connect(":memory:")
    con.row_factory = kind
    con.execute("create table t (user, item, rating)")
    con.executemany("insert into t values (?, ?, ?)", ROWS)
    return con.execute("select item, rating, user from t")


def sources() -> dict[str, Any]:
    users, items, values = zip(*ROWS, strict=True)
    return {
        "tuples": ROWS,
        "mappings": FRAME.to_dict("records"),
        "mapping": {"user": list(users), "item": np.array(items), "rating": values},
        "columns by row": FRAME.to_dict(),
        "histories": {
            user: dict(zip(part.item, part.rating, strict=True))
            for user, part in FRAME.groupby("user")
        },
        "csr": scipy.sparse.csr_matrix((values, (users, items))),
        "float16": FRAME.astype("float16"),
        "nullable": FRAME.astype("Int64"),
        "structured": FRAME.to_records(index=False),
        "dok": scipy.sparse.csr_matrix((values, (users, items))).todok(),
        "iterator": iter(ROWS),
        "tuple": tuple(ROWS),
        "named tuples": FRAME[["rating", "item", "user"]].itertuples(),
        "cursor": cursor(),
        "rows of SQLite": cursor(sqlite3.Row).fetchall(),
        "arrays": [np.array(row) for row in ROWS],
        "tensors": {name: torch.tensor(FRAME[name].to_numpy()) for name in FRAME},
        "tensors with gradients": {
            name: torch.tensor(FRAME[name].to_numpy(), dtype=torch.bfloat16, requires_grad=True)
            for name in FRAME
        },
        "columns of Arrow": {
            name: pa.array(FRAME[name].astype(str)).dictionary_encode() for name in FRAME
        },
        "backwards": {name: FRAME[name].to_numpy()[::-1] for name in FRAME},
        "decimals": {name: [Decimal(n).normalize() for n in FRAME[name]] for name in FRAME},
        "mean over groups": FRAME.groupby(["user", "item"]).rating.mean(),
        "no names": pd.DataFrame(ROWS),
        "scanner": pa.dataset.dataset(pa.Table.from_pandas(FRAME)).scanner(),
        "objects": pl.DataFrame(
            {name: pl.Series([Decimal(n) for n in FRAME[name]], dtype=pl.Object) for name in FRAME}
        ),
    }


@pytest.mark.parametrize("kind", sources())
def test_one_table_in_every_type(kind: str) -> None:
    wanted, result = load(FRAME), load(sources()[kind])
    assert matinee.data.fingerprint(result) == matinee.data.fingerprint(wanted)


def test_columns_without_names_are_noted() -> None:
    assert load(pd.DataFrame(ROWS)).notes == (
        "columns without names are read as user, item, rating",
    )


def test_a_third_column_of_times_without_names() -> None:
    rows = [(1, 10, 978300760), (2, 11, 978300761)]
    for source in (rows, pd.DataFrame(rows)):
        clicks = load(source)
        assert clicks.implicit
        assert clicks.times is not None
        assert clicks.times.tolist() == [978300760, 978300761]


def test_counts_without_a_name_are_noted() -> None:
    counts = pd.DataFrame(ROWS, columns=["user", "item", "rating"]).groupby(["user", "item"]).size()
    assert "of counts, such as groupby(...).size() gives" in load(counts).notes[0]
    named = load(counts.rename("count"))
    assert named.implicit
    assert "without a name" not in "".join(named.notes)


def test_columns_without_names_can_be_mapped_by_their_numbers() -> None:
    swapped = pd.DataFrame([(item, user, rating) for user, item, rating in ROWS])
    result = load(swapped, user="1", item="0", rating="2")
    assert matinee.data.fingerprint(result) == matinee.data.fingerprint(load(FRAME))
    assert result.notes == ()
    numbers: Any = {"user": 1, "item": 0, "rating": 2}
    assert matinee.data.fingerprint(load(swapped, **numbers)) == matinee.data.fingerprint(result)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.array(ROWS), r"'user': a\[:, 0\].*csr_matrix"),
        (io.StringIO("user,item\n1,2\n"), "path of its file"),
        ({"user": FRAME.user[::-1], "item": FRAME.item, "rating": FRAME.rating}, "indexes differ"),
        ([(1, 2, 3), (1, 2)], "rows differ in length"),
        (iter([]), "holds no ratings"),
        ([], "the list of rows or files is empty"),
        (FRAME.assign(rating=1j), "column 'rating' is complex128"),
        (
            pa.table([[1, 2], [1, 2], [3, 4], [4, 3]], names=["user", "item", "rating", "rating"]),
            "two columns are called 'rating'",
        ),
        (pl.Series([1, 2]), "cannot read ratings from Series"),
        ([FRAME, FRAME], "put tables together first, as pandas.concat"),
        ([FRAME[["user", "item"]]] * 2, "put tables together first"),
        ([{"user": [1, 2], "item": [3, 4]}] * 2, "user, item: objects or lists, no ids"),
        ([((1, 2), 3, 4), ((2, 2), 4, 4)], "user: objects or lists, no ids"),
    ],
)
def test_what_could_be_misread_is_refused_with_what_to_do(source: Any, message: str) -> None:
    with pytest.raises(MatineeError, match=message):
        load(source)


class Foreign:
    """A table of a library that Matinee does not know."""

    def __init__(self, **ways: Any) -> None:
        vars(self).update(ways)


class Capsule:
    """Hands out Arrow's data by its protocol."""

    def __arrow_c_stream__(self, schema: Any = None) -> Any:
        return pa.Table.from_pandas(FRAME).__arrow_c_stream__(schema)


def test_tables_of_other_libraries() -> None:
    for table in (Capsule(), Foreign(to_pandas=lambda: FRAME)):
        assert matinee.data.fingerprint(load(table)) == matinee.data.fingerprint(load(FRAME))
    with pytest.raises(UsageError, match=r"pass its \.compute\(\)"):
        load(Foreign(compute=None))


def test_relations_of_duckdb() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE t AS SELECT range AS user, range AS item, 3 AS rating FROM range(4)"
        )
        assert len(load(con.table("t"))) == 4
        con.execute("FROM t").fetchall()
        with pytest.raises(UsageError, match="holds no result"):
            load(con)


def test_splits_of_a_frame_are_its_rows() -> None:
    whole = matinee.data.fingerprint(load(FRAME))
    train, test = matinee.split(FRAME, holdout=0.2, seed=0)
    assert len(train) + len(test) == len(FRAME)
    assert matinee.data.fingerprint(matinee.split(load(FRAME))[1]) == matinee.data.fingerprint(test)
    assert sum(map(len, split_three(FRAME))) == len(FRAME)
    assert len(split_parts(FRAME).train) == len(train)
    assert len(list(kfold(FRAME, 3))) == 3
    assert matinee.data.fingerprint(load(FRAME)) == whole


def test_models_learn_from_frames_and_are_scored_by_them() -> None:
    train, test = FRAME.iloc[::2], FRAME.iloc[1::2]
    model = matinee.Bias().fit(train)
    assert (
        model.evaluate(test).n_test == matinee.Bias().fit(load(train)).evaluate(load(test)).n_test
    )
    repeated = pd.concat([test, test])
    assert "repeated ratings" in model.evaluate(repeated).notes[0]
    assert "repeated ratings" in model.evaluate_lists(repeated).notes[0]
    watched = matinee.Autoencoder(hidden=[2], epochs=1, teacher="none")
    assert watched.fit(train, watch={"same": train}).epochs[0].watched["same"] > 0
    assert describe(FRAME) == describe(load(FRAME))
    assert audit(FRAME, test).overlap == len(test)
    assert audit(train, test.iloc[:1]).overlap == 0


@pytest.mark.parametrize("nothing", [3, object(), [1, 2], [(1,)]])
def test_what_is_no_table_is_refused_in_one_sentence(nothing: Any) -> None:
    for use in (matinee.split, describe, matinee.Bias().fit):
        with pytest.raises(UsageError, match=r"cannot read ratings from .* give a path"):
            use(nothing)


def test_arrays_have_one_length_and_times_are_seconds() -> None:
    moments = np.array(["2020-01-01"] * 2, dtype="datetime64[ns]")
    made = matinee.Ratings.from_arrays([1, 2], [1, 2], [3, 4], moments)
    assert made.times is not None
    assert made.times.tolist() == [1577836800] * 2
    with pytest.raises(MatineeError, match=r"differ in shape: \(2,\), \(1,\)"):
        matinee.Ratings.from_arrays([1, 2], [1], [3, 4])


def test_taking_ratings_by_positions_a_slice_or_a_mask() -> None:
    ratings = load(pd.DataFrame(ROWS, columns=["user_id", "item_id", "rating"]))
    for rows in ([3, 0, 3], range(2, 9), slice(1, 20, 3), np.arange(len(ratings)) % 7 == 0):
        assert np.array_equal(ratings.take(rows).values, ratings.values[rows])
    assert len(ratings.take([])) == 0
    with pytest.raises(IndexError):
        ratings.take(np.ones(10, dtype=bool))
    with pytest.raises(IndexError):
        ratings.take([len(ratings)])


def test_columns_as_mappings_of_different_rows_are_refused() -> None:
    columns = {"user": {0: 1, 1: 2}, "item": {0: 1, 2: 2}}
    with pytest.raises(DataError, match="mappings whose keys differ"):
        load(columns)


def test_lists_in_other_columns_are_kept() -> None:
    items = [{"item": 1, "title": "A", "genres": ["x", "y"]}, {"item": 2, "title": "B"}]
    rows = {**FRAME.to_dict("list"), "tags": [["a"], None] * (len(FRAME) // 2)}
    ratings = load(rows, items=items)
    assert len(ratings) == len(FRAME)
    assert ratings.item_table is not None
    assert ratings.item_table.genres is not None
    assert ratings.item_table.genres.tolist()[:2] == [("x", "y"), ()]
