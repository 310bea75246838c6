"""Whatever the ids and ratings, every kind of file gives them back."""

from __future__ import annotations

import csv
import gzip
import json
import unicodedata
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from matinee.data import Ratings, load

# Text that the rule of ids leaves as it is: blanks around it, composed characters, digits and line
# ends have tests of their own (tests/data/test_ids.py and the cases).
TEXT = st.text(
    st.characters(exclude_categories=["C", "Z", "M", "N"]), min_size=1, max_size=8
).filter(lambda text: unicodedata.normalize("NFC", text) == text and text.casefold() not in MISSING)
MISSING = {"na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "nat", "null", "none", "nil", "\\n"}
IDS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=6, unique=True),
    st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True),
    st.lists(TEXT, min_size=2, max_size=6, unique=True),
)
RATING = st.one_of(
    st.integers(-3, 5).map(float),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([0.0, 0.5, 3.5]),
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    users, items = draw(IDS), draw(IDS)
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from(users), st.sampled_from(items)),
            min_size=2,
            max_size=12,
            unique=True,
        )
    )
    assume(len({user for user, _ in pairs}) > 1 and len({item for _, item in pairs}) > 1)
    n = len(pairs)
    return {
        "user_id": [user for user, _ in pairs],
        "item_id": [item for _, item in pairs],
        "rating": draw(st.lists(RATING, min_size=n, max_size=n)),
        "timestamp": draw(st.lists(st.integers(0, 2 * 10**9), min_size=n, max_size=n)),
    }


def plain(ids: list[Any]) -> list[Any]:
    """Ids as they must come back: integers if every one is written like one."""
    texts = [str(one) for one in ids]
    try:
        numbers = [int(one) for one in texts]
    except ValueError:
        return texts
    fit = all(
        str(n) == t.strip(" ") and -(2**63) <= n < 2**63
        for n, t in zip(numbers, texts, strict=True)
    )
    return numbers if fit else texts


def other_notes(ratings: Ratings) -> list[str]:
    """Without those on early times (test_times.py), zeros (test_known_layouts.py), odd ids and
    ratings above 1000 (test_odd_tables.py)."""
    stated = ("1970", "--missing", "ids such as", "if they are counts", "ratings online")
    return [note for note in ratings.notes if not any(text in note for text in stated)]


def check(ratings: Ratings, table: dict[str, list[Any]]) -> None:
    rows = sorted(
        zip(
            plain(table["user_id"]),
            plain(table["item_id"]),
            np.float32(table["rating"]).tolist(),
            table["timestamp"],
            strict=True,
        )
    )
    assert ratings.times is not None
    result = list(
        zip(
            ratings.user_ids.decode(ratings.users).tolist(),
            ratings.item_ids.decode(ratings.items).tolist(),
            ratings.values.tolist(),
            ratings.times.tolist(),
            strict=True,
        )
    )
    assert result == rows
    assert ratings.user_ids.ids.tolist() == sorted(set(plain(table["user_id"])))
    assert other_notes(ratings) == []


def write(table: dict[str, list[Any]], kind: str, folder: Path) -> Path:
    path = folder / f"r.{kind}"
    rows = list(zip(*table.values(), strict=True))
    bare = path.with_suffix("") if kind.endswith(".gz") else path
    if kind.startswith(("csv", "tsv")):
        with bare.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if kind == "tsv" else ",", lineterminator="\n")
            writer.writerow(table)
            writer.writerows(rows)
    elif kind.startswith("jsonl"):
        lines = [json.dumps(dict(zip(table, row, strict=True))) for row in rows]
        bare.write_text("\n".join(lines), encoding="utf-8")
    else:
        columns = {
            name: np.array(values) if not isinstance(values[0], str) else _objects(values)
            for name, values in table.items()
        }
        with duckdb.connect() as con:
            con.register("t", columns)
            con.execute(f"COPY t TO '{path}'")
    if bare != path:
        path.write_bytes(gzip.compress(bare.read_bytes()))
    return path


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "jsonl", "parquet", "arrays"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(table=tables())
def test_round_trip(tmp_path: Path, kind: str, table: dict[str, list[Any]]) -> None:
    check(load(table if kind == "arrays" else write(table, kind, tmp_path)), table)


@pytest.mark.parametrize("repeats", ["last", "mean"])
@pytest.mark.parametrize("timed", [False, True])
@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-4, 4), st.integers(0, 3)),
        min_size=1,
        max_size=20,
    )
)
def test_repeats_are_settled_as_by_hand(
    repeats: Any, timed: bool, rows: list[tuple[int, int, int, int]]
) -> None:
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for user, item, value, time in rows:
        pairs.setdefault((user, item), []).append((time if timed else 0, value))
    expected = {}
    for pair, given_values in pairs.items():
        time, last = max(enumerate(given_values), key=lambda one: (one[1][0], one[0]))[1]
        mean = sum(value for _, value in given_values) / len(given_values)
        expected[pair] = (pytest.approx(mean) if repeats == "mean" else last, time)
    columns = dict(zip(("user", "item", "rating", "time"), zip(*rows, strict=True), strict=True))
    if not timed:
        del columns["time"]
    ratings = load(columns, repeats=repeats, allow_single=True)
    times = ratings.times if ratings.times is not None else np.zeros(len(ratings), np.int64)
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    result = list(zip(users, items, strict=True))
    assert result == sorted(pairs)
    assert dict(zip(result, zip(ratings.values, times, strict=True), strict=True)) == expected
    assert bool(other_notes(ratings)) == (len(rows) > len(pairs))
