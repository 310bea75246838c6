"""Two ids are the same by one rule, whoever asks."""

import json
import unicodedata
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import matinee
from matinee import DataError, load
from matinee.data import Vocabulary, audit
from matinee.data.fingerprints import hash_ids
from matinee.data.values.ids import MISSING, canonical, canonical_sql, missing_sql, whole_number

SAME = [
    Decimal("1.00"),
    "1",
    1,
    1.0,
    np.float32(1),
    np.int8(1),
    " 1 ",
    "1.00",
    b"1",
    "\xa01\t",
    "\ufeff1",
]
OTHER = ["01", "1_2", "\u0667", "+1", "1e0", "1.5", "0x1", "1,0", "-1", "one"]

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=8),
    st.integers().map(str),
    st.floats(allow_nan=False).map(repr),
    st.from_regex(r"[ \t]?-?0?[0-9]{1,3}(_|\.)?0{0,2}[ \xa0]?", fullmatch=True),
)


@pytest.fixture(scope="module")
def con() -> Any:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("value", SAME)
def test_one_id_however_it_is_stored(value: Any) -> None:
    assert canonical(value) == "1"
    for ids in (np.array([1, 2]), np.array(["1", "x"], dtype=object)):
        vocabulary, codes = Vocabulary.of(ids)
        assert vocabulary.encode([value])[0] == codes[0]
    assert hash_ids(np.array([value], dtype=object)) == hash_ids(np.array([1]))


@pytest.mark.parametrize("value", OTHER)
def test_other_ids_are_other_people(value: str) -> None:
    numbers, _ = Vocabulary.of(np.array([0, 1, 2, 7, 12]))
    assert numbers.encode([value, value.encode()]).tolist() == [-1, -1]
    model = matinee.Bias().fit(load({"user": [1, 12, 7], "item": [1, 2, 3], "rating": [1, 2, 3]}))
    with pytest.raises(matinee.UnknownIdError):
        model.recommend(users=[value], k=1)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=texts)
def test_sql_look_up_and_hashes_agree(con: Any, text: str) -> None:
    row = con.execute(
        f"SELECT {canonical_sql('x')}, {missing_sql('x')} FROM (SELECT ?::VARCHAR AS x)", [text]
    ).fetchone()
    key = canonical(text)
    assert row == (key, key in MISSING)
    assert canonical(key) == key
    assert canonical(unicodedata.normalize("NFD", text)) == key
    vocabulary, codes = Vocabulary.of(np.array([text, "other"], dtype=object))
    assert vocabulary.encode([text, key])[0] == vocabulary.encode([text, key])[1] == codes[0]
    number = whole_number(key)
    if number is not None:
        assert hash_ids(np.array([text], dtype=object)) == hash_ids(np.array([number]))
        assert Vocabulary.of(np.array([number]))[0].encode([text]).tolist() == [0]


def test_numbers_too_large_for_int64_stay_apart() -> None:
    ids = np.array([2**63, 2**63 + 1, 5], dtype=np.uint64)
    vocabulary, _ = Vocabulary.of(ids)
    assert vocabulary.ids.tolist() == sorted([str(2**63), str(2**63 + 1), "5"])
    assert (vocabulary.encode(ids) >= 0).all()
    large = load({"user": [10**30, 10**30 + 1], "item": [1, 2], "rating": [1, 2]})
    assert large.user_ids.ids.tolist() == [str(10**30), str(10**30 + 1)]


def test_a_test_set_written_with_decimals_is_in_the_training_set(tmp_path: Path) -> None:
    for name, end in (("train", ""), ("test", ".0")):
        rows = [f" {u}{end}, {i}{end},{1 + (u + i) % 5}" for u in range(9) for i in range(3)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["user, item, rating", *rows]))
    train, test = load(tmp_path / "train.csv"), load(tmp_path / "test.csv")
    assert train.user_ids == test.user_ids
    assert audit(train, test).overlap == 27
    assert matinee.data.fingerprint(train) == matinee.data.fingerprint(test)


@pytest.mark.parametrize("none", ["NULL", "nan", "NA", "None", r"\N", "", " "])
def test_rows_without_an_id_are_left_out_with_a_note(tmp_path: Path, none: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"user,item,rating\n1,1,1\n{none},2,2\n2,{none},5\n3,2,3\n")
    ratings = load(path)
    assert ratings.user_ids.ids.tolist() == [1, 3]
    assert ratings.scale == matinee.Scale(1, 3)
    assert len(ratings.notes) == 2
    assert "1 row without a user id left out" in ratings.notes[0]
    assert "line 3" in ratings.notes[0]
    assert "line 4" in ratings.notes[1]
    if none.strip():
        kept = load(path, keep_missing_ids=True)
        assert none in kept.user_ids.ids
        assert len(kept) == 4


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_nan_is_no_id_in_a_parquet_file(tmp_path: Path, library: str) -> None:
    """Pandas writes it as null; these write NaN."""
    made = pytest.importorskip(library)
    rows = {"user": [1.0, float("nan"), 2.0], "item": [1, 2, 3], "rating": [1, 2, 3]}
    path = tmp_path / "r.parquet"
    if library == "polars":
        made.DataFrame(rows).write_parquet(path)
    else:
        from pyarrow import parquet

        parquet.write_table(made.table(rows), path)
    ratings = load(path)
    assert ratings.user_ids.ids.tolist() == [1, 2]
    assert "1 row without a user id left out" in ratings.notes[0]


def test_nothing_but_missing_ids_is_an_error() -> None:
    with pytest.raises(DataError, match="2 rows without a user id"):
        load({"user": [None, float("nan")], "item": [1, 2], "rating": [1, 2]})


def test_rows_are_left_out_of_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.data.encode._CHUNK", 7)
    users = [None if k % 3 == 0 else k % 5 for k in range(60)]
    rows = {"user": users, "item": list(range(60)), "rating": [k % 5 for k in range(60)]}
    ratings = load(rows)
    result = zip(
        ratings.user_ids.decode(ratings.users).tolist(),
        ratings.item_ids.decode(ratings.items).tolist(),
        strict=True,
    )
    pairs = dict(zip(result, ratings.values, strict=True))
    assert pairs == {(k % 5, k): k % 5 for k in range(60) if k % 3}


@pytest.mark.parametrize(
    ("dtype", "edge"), [("float32", 2**24), ("float64", 2**53), ("float64", 10**18)]
)
@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_reals_that_cannot_keep_ids_apart_are_refused(
    dtype: str, edge: int, column: str, tmp_path: Path
) -> None:
    pd = pytest.importorskip("pandas")
    ids = {"user_id": [1, 2, 3], "item_id": [4, 5, 6]}
    ids[column] = [edge, edge + 1, 3]
    frame = pd.DataFrame({**ids, "rating": [1.0, 2.0, 3.0]})
    real = frame.assign(**{column: frame[column].astype(dtype)})
    real.to_parquet(tmp_path / "ratings.parquet")
    for source in (real, tmp_path / "ratings.parquet"):
        with pytest.raises(DataError, match=rf"{column}.* several ids .*as integers or text"):
            load(source)
    assert len(load(frame)) == 3


@pytest.mark.parametrize(("dtype", "edge"), [("float32", 2**24), ("float64", 2**53)])
def test_reals_that_keep_ids_apart_are_read_as_whole_numbers(dtype: str, edge: int) -> None:
    pd = pytest.importorskip("pandas")
    users = np.array([edge - 1, -edge + 1, np.nan], dtype=dtype)
    ratings = load(pd.DataFrame({"user_id": users, "item_id": [1, 2, 3], "rating": [1.0, 2.0, 3]}))
    assert sorted(map(str, ratings.user_ids.ids)) == sorted([str(edge - 1), str(-edge + 1)])


def test_booleans_inside_objects_of_json_are_the_ids_of_other_booleans(tmp_path: Path) -> None:
    rows = [(True, 1), (False, 2), (True, 3)]
    lines = [json.dumps({"user": {"id": u}, "item": i, "rating": i}) for u, i in rows]
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    assert list(load(tmp_path / "r.jsonl").user_ids.ids) == ["False", "True"]


def test_booleans_are_the_same_ids_in_a_frame_and_in_the_files_that_pandas_writes(
    tmp_path: Path,
) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {"user_id": [True, False, True], "item_id": [1, 1, 2], "rating": [1.0, 2.0, 3.0]}
    )
    frame.to_csv(tmp_path / "r.csv", index=False)
    frame.to_parquet(tmp_path / "r.parquet")
    frame.to_json(tmp_path / "r.json", orient="records")
    frame.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    files = [tmp_path / f"r.{ending}" for ending in ("csv", "parquet", "json", "jsonl")]
    for source in (frame, *files):
        assert load(source).user_ids.ids.tolist() == ["False", "True"]
    assert load(frame).user_ids.encode([True, np.bool_(False), "True"]).tolist() == [1, 0, 1]


def test_text_that_looks_like_a_boolean_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("user_id,item_id,rating\nTRUE,true,1\nTrue,x,2\n")
    ratings = load(file)
    assert ratings.user_ids.ids.tolist() == ["TRUE", "True"]
    assert ratings.item_ids.ids.tolist() == ["true", "x"]


@pytest.mark.parametrize("ids", [[b'\0\1\xff"', b"\0\2\xff'"], ["é\0a", "é\0b"]])
def test_ids_of_bytes_and_with_zero_characters_stay_apart(ids: list[Any]) -> None:
    """As of UUIDs that MySQL or SQLite keeps in 16 bytes."""
    expected = set(map(canonical, ids))
    columns = {"item": [1, 2], "rating": [1, 2]}
    for table in ({"user": ids, **columns}, pa.table({"user": pa.array(ids), **columns})):
        assert set(load(table).user_ids.ids) == expected


def test_members_of_enumerations_of_texts_are_their_texts() -> None:
    assert canonical(Enum("Kind", {"A": "a"}, type=str).A) == "a"


def test_columns_of_times_are_no_ids() -> None:
    """Their texts differ by library, so that a later table would have other ids."""
    moments = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[us]")
    columns = {"item": [1, 2], "rating": [1, 2]}
    for ids in (
        moments,
        pa.array(moments, pa.timestamp("us", "UTC")),
        pa.array([1, 2], pa.time32("s")),
    ):
        table = pa.table({"user": ids, **columns})
        with pytest.raises(
            DataError, match=r"column 'user' holds times.*no users.*pass it as text"
        ):
            load(table)
    dates = pa.table({"user": pa.array(moments.astype("datetime64[D]")), **columns})
    assert load(dates).user_ids.encode(moments.astype("datetime64[D]")).tolist() == [0, 1]
    assert canonical(np.timedelta64(1, "D")) == "1 days"


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 1")
def test_numpys_texts_of_any_length_are_ids() -> None:
    ids = np.array(["ann", " 1 "], dtype=np.dtypes.StringDType())
    ratings = load({"user": ids, "item": ids, "rating": [1, 2]})
    assert ratings.user_ids.encode(ids).tolist() == [1, 0]


def test_texts_that_are_no_unicode_are_an_error() -> None:
    """As of file names read with surrogateescape, kept as objects by pandas."""
    frame = pd.DataFrame({"user": [1, 2], "item": pd.Series(["a\udc80", "b"], dtype=object)})
    with pytest.raises(DataError, match="surrogate"):
        load(frame)
