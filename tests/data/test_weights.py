"""Weights of ratings by age."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matinee.data import Ratings, load
from matinee.data.splits.files import split_files
from matinee.data.splits.shared import join
from matinee.data.values.weights import (
    LEAST,
    by_age,
    relative,
    weighted_by_age,
    weighted_together,
)
from matinee.errors import DataError

DAY = 86_400


def ratings() -> Ratings:
    users, items = [2, 1, 3, 1, 2], ["b", "a", "c", "b", "a"]
    times = np.array([10, 0, 10, 8, 6]) * DAY
    return Ratings.from_arrays(users, items, [1, 2, 3, 4, 5], times)


def test_weights_halve_with_every_half_life() -> None:
    assert by_age(np.array([0, 1, 2, 3]) * 7 * DAY, 7.0).tolist() == [1.0, 0.5, 0.25, 0.125]
    assert by_age(np.array([10_000 * DAY]), 1.0).tolist() == pytest.approx([LEAST])
    weighted = weighted_by_age(ratings(), 2.0)
    assert weighted.weights is not None
    assert weighted.weights.tolist() == [1.0, 2.0**-5, 1.0, 0.5, 0.25]
    twice = weighted_by_age(weighted, 2.0)
    assert np.array_equal(twice.weights, weighted.weights**2)
    assert weighted_by_age(ratings(), 0.0).weights is None


def test_ages_need_times() -> None:
    untimed = replace(ratings(), times=None)
    assert weighted_by_age(untimed, 0.0) is untimed
    with pytest.raises(DataError, match="half_life weighs ratings by their age"):
        weighted_by_age(untimed, 3.0)


def test_weights_go_with_their_ratings() -> None:
    weighted = weighted_by_age(ratings(), 2.0)
    weight_of = {
        (user, item): weight
        for user, item, weight in zip(
            weighted.users.tolist(), weighted.items.tolist(), weighted.weights, strict=True
        )
    }
    for csr, swapped in ((weighted.by_user, False), (weighted.by_item, True)):
        rows = np.repeat(np.arange(csr.n_rows), csr.counts).tolist()
        pairs = list(zip(rows, csr.indices.tolist(), strict=True))
        pairs = [pair[::-1] for pair in pairs] if swapped else pairs
        assert csr.weights is not None
        assert csr.weights.tolist() == [weight_of[pair] for pair in pairs]
    some = weighted.take(np.array([3, 0])).compact()
    assert some.weights is not None
    assert some.weights.tolist() == [0.5, 1.0]
    plain = replace(ratings().take(np.array([1])), weights=None)
    both = join(weighted.take(np.array([3])), plain, name="both")
    assert both.weights is not None
    assert both.weights.tolist() == [0.5, 1.0]


def test_old_and_new_ratings_weigh_as_if_weighted_at_once() -> None:
    whole = ratings()
    old = np.array([1, 3, 4])
    before = replace(weighted_by_age(whole.take(old), 2.0), times=None)
    parts = weighted_together(before, 8 * DAY, whole.take(np.array([0, 2])), 2.0)
    wanted = weighted_by_age(whole, 2.0).weights
    assert wanted is not None
    assert parts[0].weights == pytest.approx(wanted[old])
    assert parts[1].weights == pytest.approx(wanted[[0, 2]])
    with pytest.raises(DataError, match="all need times"):
        weighted_together(before, None, whole, 2.0)
    assert weighted_together(before, None, whole, 0.0) == (before, whole)


TABLE = {
    "user": [2, 1, 2, 1, 2],
    "item": ["b", "x", "a", "a", "b"],
    "rating": [1, 2, 3, 4, 5],
    "count": [1.0, 0.5, 2.0, 3.0, 0.25],
}


def test_a_column_of_weights_is_stated() -> None:
    assert load(TABLE).weights is None
    ratings = load(TABLE, weight="count")
    assert not ratings.implicit
    assert ratings.values.tolist() == [4, 2, 3, 5]  # the last of the repeated pair is kept
    assert ratings.weights is not None
    assert ratings.weights.tolist() == [3.0, 0.5, 2.0, 0.25]
    assert load(TABLE, weight="count", missing=4).weights.tolist() == [0.5, 2.0, 0.25]  # type: ignore[union-attr]


@pytest.mark.parametrize(("value", "shown"), [(0, "0.0"), (-2, "-2.0"), (float("nan"), "")])
def test_a_weight_is_above_0(value: float, shown: str) -> None:
    with pytest.raises(DataError, match=f"the weight '?{shown}'? is no number above 0"):
        load(TABLE | {"count": [1.0, value, 1.0, 1.0, 1.0]}, weight="count")


def test_weights_in_a_file_and_in_the_files_of_a_split(tmp_path: Path) -> None:
    rows = zip(*TABLE.values(), strict=True)
    text = "\n".join([",".join(TABLE), *(",".join(map(str, row)) for row in rows)])
    (tmp_path / "r.csv").write_text(text)
    ratings = load(tmp_path / "r.csv", weight="count")
    assert ratings.weights is not None
    split_files(ratings, tmp_path / "split", holdout=0.5, seed=0)
    parts = [
        load(tmp_path / "split" / f"{name}.parquet", weight="weight", allow_single=True)
        for name in ("train", "test")
    ]
    weight_of = {
        (int(part.user_ids.ids[user]), str(part.item_ids.ids[item])): float(weight)
        for part in parts
        for user, item, weight in zip(part.users, part.items, part.weights, strict=True)  # type: ignore[arg-type]
    }
    assert weight_of == {(1, "a"): 3.0, (1, "x"): 0.5, (2, "a"): 2.0, (2, "b"): 0.25}


def test_a_mean_of_repeated_ratings_is_weighted() -> None:
    table = {"user": [1, 1, 2], "item": [1, 1, 2], "rating": [1.0, 5.0, 3.0], "w": [3.0, 1.0, 7.0]}
    read = load(table, weight="w", repeats="mean")
    assert read.weights is not None
    assert (read.values.tolist(), read.weights.tolist()) == ([2.0, 3.0], [2.0, 7.0])


def test_weights_keep_to_their_rows_in_any_order_of_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("matinee.data.encode._CHUNK", 100)
    rng = np.random.default_rng(0)
    pairs = rng.permutation(40 * 30)[:700]
    users, items = pairs // 30, pairs % 30
    table = {"user": users, "item": items, "rating": pairs % 5, "w": pairs + 0.5}
    read = load(table, weight="w", scale=(0, 3), drop_outside_scale=True)
    assert len(read) == (pairs % 5 < 4).sum()
    wanted = read.user_ids.ids[read.users] * 30 + read.item_ids.ids[read.items] + 0.5
    assert read.weights is not None
    assert read.weights.tolist() == wanted.tolist()


def test_the_smallest_weights_stay_above_0_in_units_of_a_large_mean() -> None:
    """Kernels divide by weights, and take a similarity of 0 for none yet."""
    assert relative(np.array([1e-44, 1e10], dtype=np.float32), 5e9).min() > 0
