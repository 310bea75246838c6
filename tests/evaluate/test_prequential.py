"""Each rating scored with all that its person gave before."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from matinee.data import Ratings, split
from matinee.errors import DataError, LeakError
from matinee.evaluate import _test_batches
from matinee.models import Bias, ItemMean, Recommender


def sample(seed: int = 0, n: int = 700) -> Ratings:
    """Ratings over few seconds, so that people give several in the same one."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(40 * 30, n, replace=False)
    users, items = pairs // 30, pairs % 30
    values = np.clip(np.rint(3 + users % 3 - items % 2 + rng.normal(0, 1, n)), 1, 5)
    times = rng.integers(0, 60, n)
    return Ratings.from_arrays(
        [f"u{u}" for u in users], [f"i{i}" for i in items], values, times, name="sample"
    )


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    """Split by time; a few users and items are in the test part alone."""
    ratings = sample()
    rare = (ratings.users < 3) | (ratings.items < 2)
    train, test = split(ratings, holdout=0.3, by="time")
    train = train.take(~rare[np.flatnonzero(np.isin(pairs(ratings), pairs(train)))]).compact()
    return train, test


def pairs(ratings: Ratings) -> np.ndarray:
    return ratings.users.astype(np.int64) * ratings.n_items + ratings.items


@pytest.fixture(scope="module")
def model(parts: tuple[Ratings, Ratings]) -> Bias:
    return Bias().fit(parts[0])


def one_by_one(model: Recommender, train: Ratings, test: Ratings) -> np.ndarray:
    """The prediction of every test rating, each asked for alone with all that came before."""
    assert test.times is not None
    users, items = test.user_ids.decode(test.users), test.item_ids.decode(test.items)
    before: dict[object, dict[object, float]] = {user: {} for user in users}
    owners, owned = train.user_ids.decode(train.users), train.item_ids.decode(train.items)
    for user, item, value in zip(owners, owned, train.values.tolist(), strict=True):
        before.setdefault(user, {})[item] = value
    values = np.empty(len(test))
    for moment in np.unique(test.times):
        now = np.flatnonzero(test.times == moment)
        for at in now:
            history = {users[at]: before[users[at]]}
            values[at] = model.predict(users[at], items[at], histories=history)[0]
        for at in now:
            before[users[at]][items[at]] = float(test.values[at])
    return values


def test_against_asking_one_by_one(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    result = model.evaluate(test, update=True)
    error = one_by_one(model, train, test) - test.values
    assert result.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-9)
    assert result.mae == pytest.approx(np.mean(np.abs(error)), abs=1e-9)
    assert result.baselines["bias"].rmse == pytest.approx(result.rmse, abs=1e-12)
    assert (result.n_test, result.coverage.unknown_items) == (len(test), 2)


def test_the_frozen_score_is_a_baseline(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    result, frozen = model.evaluate(parts[1], update=True), model.evaluate(parts[1])
    beside = result.baselines["frozen"]
    assert beside.rmse == pytest.approx(frozen.rmse, abs=1e-12)
    assert beside.rmse_gain == pytest.approx(frozen.rmse - result.rmse, abs=1e-12)
    assert beside.rmse_gain_interval is not None
    assert beside.rmse_gain_interval.low < beside.rmse_gain < beside.rmse_gain_interval.high
    assert "frozen" not in frozen.baselines
    # Users that training does not know become known by their first ratings.
    assert 0 < result.coverage.n_unknown_user < frozen.coverage.n_unknown_user
    assert json.loads(json.dumps(result.as_dict()))["baselines"]["frozen"]["rmse"] == beside.rmse


@pytest.mark.parametrize(("batch", "entries"), [(7, 1), (1 << 20, 50)])
def test_batches_change_nothing(
    model: Bias,
    parts: tuple[Ratings, Ratings],
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    entries: int,
) -> None:
    whole = model.evaluate(parts[1], update=True)
    monkeypatch.setattr(_test_batches, "_BATCH", batch)
    monkeypatch.setattr(_test_batches, "_ENTRIES", entries)
    piece = model.evaluate(parts[1], update=True)
    assert piece.rmse == pytest.approx(whole.rmse, abs=1e-12)
    assert piece.baselines["frozen"].rmse == pytest.approx(
        whole.baselines["frozen"].rmse, abs=1e-12
    )
    assert piece.coverage.n_unknown_user == whole.coverage.n_unknown_user


def test_a_model_that_uses_no_history_gains_nothing(parts: tuple[Ratings, Ratings]) -> None:
    model = ItemMean().fit(parts[0])
    test = parts[1]  # for what is unknown the bias model answers, which uses histories
    known = np.isin(test.user_ids.decode(test.users), parts[0].user_ids.ids)
    known &= np.isin(test.item_ids.decode(test.items), parts[0].item_ids.ids)
    result = model.evaluate(test.take(known), update=True)
    assert result.baselines["frozen"].rmse_gain == pytest.approx(0, abs=1e-12)


def test_histories_that_are_given_grow(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    result = model.evaluate(test, histories=train, update=True)
    assert result.rmse == pytest.approx(model.evaluate(test, update=True).rmse, abs=1e-12)


def test_refusals(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    with pytest.raises(DataError, match="sample: has no times"):
        model.evaluate(replace(parts[1], times=None), update=True)
    with pytest.raises(LeakError):
        model.evaluate(parts[0], update=True)
    seen = model.evaluate(parts[0], update=True, allow_overlap=True)
    assert seen.rmse == pytest.approx(seen.baselines["frozen"].rmse, abs=1e-12)
