"""Standard deviations: what is fitted, on how little, and its coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matinee.baseline import fit_bias
from matinee.baseline.bias import residual_sums
from matinee.baseline.variance import (
    HeldOutPredictions,
    PredictiveVariance,
    _fit_weights,
    fit_predictive_variance,
    leave_one_out,
    person_features,
)
from matinee.data import Histories, Ratings, Scale


def world(seed: int = 0, *, unit: float = 1.0, users: int = 300, n: int = 9000) -> Ratings:
    """Ratings whose noise differs by user, threefold from the calmest to the wildest."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(users * 100, n, replace=False)
    who, what = pairs // 100, pairs % 100
    noise = np.geomspace(0.4, 1.2, users)
    raw = rng.normal(0, 0.4, users)[who] + rng.normal(0, 0.4, 100)[what]
    raw += rng.normal(0, 1, n) * noise[who]
    return Ratings.from_arrays(who, what, raw * unit, scale=Scale(-10.0 * unit, 10.0 * unit))


def fitted(data: Ratings, **options: Any) -> tuple[PredictiveVariance, Any]:
    bias = fit_bias(data)
    return fit_predictive_variance(
        bias, data.by_user, leave_one_out(bias, data.by_user), data.scale
    ), bias


def std_of_users(spread: PredictiveVariance, bias: Any, data: Ratings) -> np.ndarray:
    """The standard deviation for each user, of item 0, predicted in the middle."""
    people = Histories.of(data.by_user)
    rows = np.arange(len(people))
    items = np.zeros(len(people), dtype=np.int32)
    return spread.std(bias, people, rows, items, np.zeros(len(people)))


@pytest.mark.parametrize("unit", [0.01, 1.0, 50.0])
def test_users_of_large_and_small_variance_are_distinguished(unit: float) -> None:
    data = world(unit=unit)
    std = std_of_users(*fitted(data), data) / unit
    assert std[:60].mean() < 0.62
    assert std[-60:].mean() > 0.9
    assert np.corrcoef(std, np.geomspace(0.4, 1.2, 300))[0, 1] > 0.8


def test_left_out_errors_are_those_of_new_ratings() -> None:
    """In closed form or by leaving ratings out in earnest: the same size."""
    data = world()
    whole = leave_one_out(fit_bias(data), data.by_user)
    closed = np.sqrt(np.mean(np.square(data.by_user.values - whole.predictions)))
    rng = np.random.default_rng(1)
    earnest = []
    for _ in range(10):
        out = rng.random(len(data)) < 0.02
        bias = fit_bias(data.take(~out))
        known = Histories.of(data.take(~out).by_user)
        guess = bias.predict(known, data.users[out], data.items[out])
        earnest.append(np.square(data.values[out] - guess))
    assert closed == pytest.approx(np.sqrt(np.concatenate(earnest).mean()), rel=0.04)
    inside = data.values - fit_bias(data).predict(
        Histories.of(data.by_user), data.users, data.items
    )
    assert np.sqrt(np.mean(np.square(inside))) < closed * 0.985


@pytest.mark.parametrize("n", [0, 1, 20, 200])
def test_with_few_errors_the_bias_models_count(n: int) -> None:
    data = world()
    bias = fit_bias(data)
    whole = leave_one_out(bias, data.by_user)
    rng = np.random.default_rng(2)
    some = np.sort(rng.choice(len(whole.entries), n, replace=False))
    errors = HeldOutPredictions(whole.entries[some], whole.predictions[some], "validation")
    spread = fit_predictive_variance(bias, data.by_user, errors, data.scale)
    assert spread.n == n
    std = std_of_users(spread, bias, data)
    assert np.isfinite(std).all()
    assert np.sqrt(np.mean(np.square(std))) == pytest.approx(np.sqrt(spread.variance), rel=0.2)
    assert (std.max() / std.min() > 1.3) == (n == 200)


def test_the_ratings_kept_apart_do_not_vouch_for_themselves() -> None:
    """Features are made as if the ratings kept apart were not there: as when they are not."""
    data = world()
    rng = np.random.default_rng(3)
    out = rng.random(len(data)) < 0.3
    rest = data.take(~out)
    bias = fit_bias(rest)
    entries = np.flatnonzero(data.by_user.aligned(out))
    rows = np.repeat(np.arange(300), data.by_user.counts)[entries]
    known = Histories.of(rest.by_user)
    guess = bias.predict(known, rows, data.by_user.indices[entries])
    errors = HeldOutPredictions(entries, guess, "validation")
    spread = fit_predictive_variance(fit_bias(data), data.by_user, errors, data.scale)
    items = data.by_user.indices[entries]
    std = spread.std(bias, known, rows, items, guess)
    z = (data.by_user.values[entries] - guess) / std
    # The items' features are of all ratings; the users' of those that are shown.
    assert np.sqrt(np.mean(np.square(z))) == pytest.approx(1.0, abs=0.05)
    for half in (rows < 150, rows >= 150):
        assert np.sqrt(np.mean(np.square(z[half]))) == pytest.approx(1.0, abs=0.12)


def test_what_the_model_adds_counts() -> None:
    data = world()
    bias = fit_bias(data)
    errors = leave_one_out(bias, data.by_user)
    off = np.abs(data.by_user.values[errors.entries] - errors.predictions)
    hint = np.log(off + 0.3)[:, None]
    more = HeldOutPredictions(errors.entries, errors.predictions, "validation", hint)
    spread = fit_predictive_variance(bias, data.by_user, more, data.scale)
    people = Histories.of(data.by_user)
    ask = (np.arange(300), np.zeros(300, dtype=np.int32), np.zeros(300))
    low, high = (spread.std(bias, people, *ask, np.full((300, 1), h)) for h in (-1.0, 0.3))
    assert (high > 1.5 * low).all()
    usual = spread.std(bias, people, *ask)
    assert (usual > low).all()
    assert (usual < high).all()


def test_no_further_than_it_was_fitted() -> None:
    data = world()
    spread, bias = fitted(data)
    wild = Histories.build([(np.arange(100), np.tile([-10.0, 10.0], 50))])
    calm = Histories.build([(np.arange(100), bias.mean + bias.item_bias)])
    ask = (np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int32), np.zeros(1))
    std = std_of_users(spread, bias, data)
    assert spread.std(bias, wild, *ask)[0] < 2 * std.max()
    assert spread.std(bias, calm, *ask)[0] > std.min() / 2


def test_the_unknown_are_less_sure() -> None:
    spread, _ = fitted(world())
    user, item = np.array([False, False, True]), np.array([False, True, False])
    nothing, by_item, by_user = spread.std_unknown(user, item)
    assert nothing > max(by_item, by_user)
    assert min(by_item, by_user) > np.sqrt(spread.variance)


def test_saved_and_restored() -> None:
    data = world()
    spread, bias = fitted(data)
    arrays, rest = spread.state()
    back = PredictiveVariance.restore(data.scale, dict(arrays), dict(rest))
    assert np.array_equal(std_of_users(back, bias, data), std_of_users(spread, bias, data))


def test_ratings_that_are_all_the_same() -> None:
    users, items = np.divmod(np.arange(12), 4)
    data = Ratings.from_arrays(users, items, np.full(12, 3.0), scale=Scale(3, 3))
    spread, bias = fitted(data)
    std = std_of_users(spread, bias, data)
    assert np.isfinite(std).all()
    assert (std < 1e-2).all()
    assert np.isfinite(person_features(bias, Histories.of(data.by_user), 0.0)).all()


def test_the_fit_weights_is_found() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (20_000, 2))
    squared = np.square(rng.normal(0, 1, 20_000)) * np.exp(0.5 + x @ [0.8, -0.3])
    assert _fit_weights(x, squared, 1.0) == pytest.approx([0.5, 0.8, -0.3], abs=0.04)
    outliers = squared.copy()
    outliers[:5] = 1e6
    assert np.isfinite(_fit_weights(x, outliers, 1.0)).all()
    assert np.isfinite(_fit_weights(x, np.zeros(20_000), 1.0)).all()


def test_which_side_is_unknown_makes_the_difference() -> None:
    """Where items differ and people do not, it is the item that has to be known."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(300 * 100, 9000, replace=False)
    who, what = pairs // 100, pairs % 100
    raw = rng.normal(0, 1, 100)[what] + rng.normal(0, 0.3, 9000)
    data = Ratings.from_arrays(who, what, raw, scale=Scale(-10.0, 10.0))
    variance, _ = fitted(data)
    unknown_user, no_item = variance.std_unknown(np.array([False, True]), np.array([True, False]))
    assert unknown_user == pytest.approx(0.3, abs=0.1)
    assert no_item == pytest.approx(np.sqrt(1 + 0.3**2), abs=0.2)


def test_residual_sums_are_those_of_the_whole_bias_model() -> None:
    data = world(users=40, n=900)
    bias, csr = fit_bias(data), data.by_user
    rows = np.repeat(np.arange(csr.n_rows), csr.counts)
    left = csr.values - bias.predict(Histories.of(csr), rows, csr.indices)
    squares = np.zeros(csr.n_columns)
    item_bias = bias.item_bias.astype(np.float64)
    residual_sums(csr.indptr, csr.indices, csr.values, item_bias, bias.mean, 5.0, squares)
    assert bias.user_reg == 5.0
    assert squares == pytest.approx(np.bincount(csr.indices, left**2), rel=1e-5)
