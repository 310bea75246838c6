"""Descriptions: counts, quantiles, histogram, and the estimate of memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from matinee.data import CATALOGUE, ItemTable, Ratings, describe, training_mib
from matinee.data.description import HIDDEN, MAX_TABLE, TEACHERS, Bar, iso_time
from matinee.errors import DataError
from matinee.models import preset


def small() -> Ratings:
    return Ratings.from_arrays(
        [1, 1, 1, 2, 2, 3], [10, 20, 30, 10, 20, 10], [0, 3, 5, 3, 3, 4], [50, 40, 30, 20, 10, 60]
    )


def test_small() -> None:
    description = describe(small())
    assert (description.users, description.items, description.ratings) == (3, 3, 6)
    assert description.density == 6 / 9
    assert (description.low, description.high) == (0, 5)
    assert description.mean == 3
    assert description.std == pytest.approx(np.std([0, 3, 5, 3, 3, 4]))
    # A rating of 0 is a rating.
    assert description.histogram == (Bar(0, 0, 1), Bar(3, 3, 3), Bar(4, 4, 1), Bar(5, 5, 1))
    assert (description.per_user.low, description.per_user.median, description.per_user.high) == (
        1,
        2,
        3,
    )
    assert (description.per_item.p25, description.per_item.p75, description.per_item.mean) == (
        1.5,
        2.5,
        2,
    )
    assert description.period == ("1970-01-01T00:00:10Z", "1970-01-01T00:01:00Z")
    plain = json.loads(json.dumps(description.as_dict()))
    assert plain["first"] == "1970-01-01T00:00:10Z"
    assert plain["per_user"]["high"] == 3
    assert plain["histogram"][1] == {"low": 3, "high": 3, "count": 3}


def test_only_those_with_ratings_count() -> None:
    description = describe(small().take(np.array([0, 1, 2])))
    assert (description.users, description.items, description.density) == (1, 3, 1)
    assert description.per_user.low == 3
    assert description.per_item.low == 1


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
    result = describe(Ratings.from_arrays(np.arange(n), np.zeros(n, int), values)).histogram
    assert len(result) == bars
    assert sum(bar.count for bar in result) == n


def test_repeated_ratings_are_counted(tmp_path: Path) -> None:
    from matinee.data import load

    path = tmp_path / "a.csv"
    path.write_text("user,item,rating\n" + "1,1,3\n" * 1235 + "1,2,3\n2,1,4\n2,1,5\n")
    description = describe(load(path))
    assert (description.ratings, description.repeated) == (3, 1235)
    assert len(description.notes) == 1


def test_empty() -> None:
    with pytest.raises(DataError, match="no ratings to describe"):
        describe(small().take(np.arange(0)))


def test_training_memory() -> None:
    # 7412-600-3706, each parameter with its best value and two numbers of Adam.
    parameters = 7412 * 600 + 600 + 600 * 3706 + 3706
    expected = 4 * 1_000_209 * 12 + 4 * 4 * parameters
    assert training_mib(1_000_209, 3706) == expected / 2**20
    teacher = 12_080 * 600 + 600 + 600 * 6040 + 6040
    with_teachers = training_mib(1_000_209, 3706, users=6040)
    assert with_teachers == (expected + 2 * 4 * 4 * teacher) / 2**20
    # The first of two tables of at most 100 million weights has 2 million rows.
    narrow = 2_000_000 * 50 + 50 + 50 * 1_000_000 + 1_000_000
    assert training_mib(0, 1_000_000) == 4 * 4 * narrow / 2**20
    default = preset("default")
    assert default.train.teachers == TEACHERS
    assert default.network.hidden == HIDDEN
    assert default.network.max_table == MAX_TABLE
    assert default.network.width_per_rating == 0.0
    assert default.network.input == "presence"
    assert 4000 < training_mib(100_480_507, 17_770) < 8192


def test_times_of_any_size() -> None:
    assert iso_time(978300760) == "2000-12-31T22:12:40Z"
    assert iso_time(-1) == "1969-12-31T23:59:59Z"
    assert iso_time(10**12).startswith("33658")


@pytest.mark.parametrize("name", ["ml-100k", "ml-1m", "ml-latest-small"])
def test_real_data_is_as_the_catalogue_says(real_data: Callable[[str], Path], name: str) -> None:
    from matinee.data import load

    description = describe(load(real_data(name)))
    entry = CATALOGUE[name]
    assert (description.users, description.items, description.ratings) == (
        entry.users,
        entry.items,
        entry.ratings,
    )
    assert (description.low, description.high) == entry.scale
    assert description.per_user.low == 20
    assert description.titles == entry.items
    assert (description.repeated, description.notes) == (0, ())
