"""Descriptions: counts, quantiles, histogram, and the estimate of memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from matinee.data import CATALOGUE, ItemTable, Ratings, describe, training_mib
from matinee.data.description import Bar, iso_time
from matinee.errors import DataError
from matinee.models import preset


def small() -> Ratings:
    return Ratings.from_arrays(
        [1, 1, 1, 2, 2, 3], [10, 20, 30, 10, 20, 10], [0, 3, 5, 3, 3, 4], [50, 40, 30, 20, 10, 60]
    )


def test_small() -> None:
    found = describe(small())
    assert (found.users, found.items, found.ratings) == (3, 3, 6)
    assert found.density == 6 / 9
    assert (found.low, found.high) == (0, 5)
    assert found.mean == 3
    assert found.std == pytest.approx(np.std([0, 3, 5, 3, 3, 4]))
    # A rating of 0 is a rating.
    assert found.histogram == (Bar(0, 0, 1), Bar(3, 3, 3), Bar(4, 4, 1), Bar(5, 5, 1))
    assert (found.per_user.low, found.per_user.median, found.per_user.high) == (1, 2, 3)
    assert (found.per_item.p25, found.per_item.p75, found.per_item.mean) == (1.5, 2.5, 2)
    assert found.period == ("1970-01-01T00:00:10Z", "1970-01-01T00:01:00Z")
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["first"] == "1970-01-01T00:00:10Z"
    assert plain["per_user"]["high"] == 3
    assert plain["histogram"][1] == {"low": 3, "high": 3, "count": 3}


def test_only_those_with_ratings_count() -> None:
    found = describe(small().take(np.array([0, 1, 2])))
    assert (found.users, found.items, found.density) == (1, 3, 1)
    assert found.per_user.low == 3
    assert found.per_item.low == 1


def test_without_times_or_with_titles() -> None:
    timeless = replace(small(), times=None)
    assert describe(timeless).period is None
    assert describe(timeless).as_dict()["last"] is None
    assert describe(timeless).titles == 0
    titles = np.array(["Alien", "20", "Brazil"], dtype=object)
    assert describe(replace(small(), item_table=ItemTable(titles))).titles == 2


def test_continuous_ratings_are_binned() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(-10, 10, 1000)
    ratings = Ratings.from_arrays(np.arange(1000), np.zeros(1000, int), values)
    bars = describe(ratings).histogram
    assert len(bars) == 20
    assert sum(bar.count for bar in bars) == 1000
    assert bars[0].low == pytest.approx(values.min())
    assert bars[-1].high == pytest.approx(values.max())
    assert all(a.high == b.low for a, b in pairwise(bars))


@pytest.mark.parametrize(("rest", "bars"), [(np.full(10, 9.0), 2), (np.arange(10, 40.0), 20)])
def test_values_that_come_late_are_counted(rest: np.ndarray, bars: int) -> None:
    values = np.concatenate([np.ones(100_000), rest])
    n = len(values)
    found = describe(Ratings.from_arrays(np.arange(n), np.zeros(n, int), values)).histogram
    assert len(found) == bars
    assert sum(bar.count for bar in found) == n


def test_repeated_ratings_are_counted(tmp_path: Path) -> None:
    from matinee.data import load

    path = tmp_path / "a.csv"
    path.write_text("user,item,rating\n" + "1,1,3\n" * 1235 + "1,2,3\n2,1,4\n2,1,5\n")
    found = describe(load(path))
    assert (found.ratings, found.repeated) == (3, 1235)
    assert len(found.notes) == 1


def test_empty() -> None:
    with pytest.raises(DataError, match="no ratings to describe"):
        describe(small().take(np.arange(0)))


def test_training_memory() -> None:
    # 3706-8-3706: 3706 * 8 * 2 weights and 8 + 3706 biases, each with its best value and two
    # numbers of Adam.
    parameters = 3706 * 8 * 2 + 8 + 3706
    expected = 4 * 1_000_209 * 12 + 4 * 4 * parameters
    assert training_mib(1_000_209, 3706, hidden=(8,), rows_per_item=1) == expected / 2**20
    teacher = 6040 * 8 * 2 + 8 + 6040
    taught = training_mib(1_000_209, 3706, users=6040, hidden=(8,), rows_per_item=1)
    assert taught == (expected + 4 * 4 * teacher) / 2**20
    narrow = training_mib(1_000_209, 3706, hidden=(80,), rows_per_item=1, max_table=8 * 3706 + 5)
    assert narrow == expected / 2**20
    assert training_mib(100, 10, optimiser_slots=0) < training_mib(100, 10)
    usual = signature(training_mib).parameters
    network = preset("default").network
    assert usual["hidden"].default == network.hidden
    assert usual["max_table"].default == network.max_table
    assert 4000 < training_mib(100_480_507, 17_770) < 8192


def test_times_of_any_size() -> None:
    assert iso_time(978300760) == "2000-12-31T22:12:40Z"
    assert iso_time(-1) == "1969-12-31T23:59:59Z"
    assert iso_time(10**12).startswith("33658")


@pytest.mark.parametrize("name", ["ml-100k", "ml-1m", "ml-latest-small"])
def test_real_data_is_as_the_catalogue_says(real_data: Callable[[str], Path], name: str) -> None:
    from matinee.data import load

    found = describe(load(real_data(name)))
    entry = CATALOGUE[name]
    assert (found.users, found.items, found.ratings) == (entry.users, entry.items, entry.ratings)
    assert (found.low, found.high) == entry.scale
    assert found.per_user.low == 20
    assert found.titles == entry.items
    assert (found.repeated, found.notes) == (0, ())
