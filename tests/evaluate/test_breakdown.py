"""Errors taken apart agree with the score, and with sums done the plain way."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data import Ratings, Scale, split
from matinee.errors import DataError
from matinee.evaluate import Breakdown, ErrorBin, breakdown
from matinee.models import Bias, ItemMean, Recommender
from matinee.synth import synthesize


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    train, test = split(synthesize(300, 80, 12000, seed=3).ratings, 0.3, 0)
    return train, test


def apart(model: Recommender, test: Ratings, **options: int) -> Breakdown:
    assert model.histories is not None
    rows = model.user_ids.encode(test.user_ids.ids).astype(np.int64)
    counts = np.bincount(model.histories.items, minlength=model.n_items)
    titles = None if model.item_table is None else model.item_table.titles
    return breakdown(model, test, model.histories, rows, counts, titles, **options)


@pytest.fixture(scope="module")
def model(parts: tuple[Ratings, Ratings]) -> ItemMean:
    return ItemMean().fit(parts[0])


@pytest.fixture(scope="module")
def result(model: ItemMean, parts: tuple[Ratings, Ratings]) -> Breakdown:
    return apart(model, parts[1])


@pytest.fixture(scope="module")
def errors(model: ItemMean, parts: tuple[Ratings, Ratings]) -> np.ndarray:
    test = parts[1]
    users, items = test.user_ids.decode(test.users), test.item_ids.decode(test.items)
    return test.values.astype(np.float64) - model.predict(users, items)


def _whole(bins: tuple[ErrorBin, ...], what: str) -> float:
    return (sum(b.n * getattr(b, what) ** 2 for b in bins) / sum(b.n for b in bins)) ** 0.5


@pytest.mark.parametrize("by", ["by_user", "by_item"])
def test_the_bins_add_up_to_the_score(
    result: Breakdown, model: ItemMean, parts: tuple[Ratings, Ratings], by: str
) -> None:
    score = model.evaluate(parts[1])
    bins = getattr(result, by)
    assert len(bins) > 2
    assert sum(b.n for b in bins) == result.n == score.n_test
    assert _whole(bins, "rmse") == pytest.approx(score.rmse, rel=1e-9)
    assert _whole(bins, "bias_rmse") == pytest.approx(score.baselines["bias"].rmse, rel=1e-9)
    for b in bins:
        if b.rmse_interval:
            assert b.rmse_interval.low <= b.rmse <= b.rmse_interval.high


def test_a_user_is_in_the_bin_of_the_ratings_given_in_training(
    result: Breakdown, model: ItemMean, parts: tuple[Ratings, Ratings]
) -> None:
    counts = np.bincount(parts[0].users, minlength=parts[0].n_users)
    tested = np.unique(parts[1].users)
    for b in result.by_user:
        low, _, high = b.ratings.rstrip("+").partition("-")
        inside = (counts[tested] >= int(low)) & (counts[tested] <= int(high or 10**9))
        assert inside.sum() == b.members


def test_residuals(result: Breakdown, errors: np.ndarray) -> None:
    assert result.counts.sum() == len(errors)
    assert result.bias == pytest.approx(errors.mean(), abs=1e-9)
    assert result.spread == pytest.approx(errors.std(), rel=1e-9)
    by_numpy, _ = np.histogram(errors, result.edges)
    assert np.abs(by_numpy - result.counts).sum() <= 2  # the last edge belongs to the last bin


def test_calibration(result: Breakdown, errors: np.ndarray, parts: tuple[Ratings, Ratings]) -> None:
    actual = parts[1].values.astype(np.float64)
    assert sum(c.n for c in result.calibration) > 0.99 * result.n
    means = sum(c.n * c.actual for c in result.calibration) / sum(c.n for c in result.calibration)
    assert means == pytest.approx(actual.mean(), abs=0.01)
    order = [c.predicted for c in result.calibration]
    assert order == sorted(order)
    for c in result.calibration:
        assert c.interval.low <= c.actual <= c.interval.high
    # An item mean is calibrated on what it was made of: the bins lie near the diagonal.
    assert all(abs(c.actual - c.predicted) < 0.5 for c in result.calibration if c.n > 200)


def test_worst_items(result: Breakdown, errors: np.ndarray, parts: tuple[Ratings, Ratings]) -> None:
    test = parts[1]
    for item in result.worst:
        item_errors = errors[test.item_ids.decode(test.items) == item.item_id]
        assert len(item_errors) == item.n >= result.enough
        assert item.rmse == pytest.approx(np.sqrt((item_errors**2).mean()), rel=1e-9)
        assert item.actual - item.predicted == pytest.approx(item_errors.mean(), abs=1e-9)
        assert item.at_least <= item.rmse
    surely = [item.at_least for item in result.worst]
    assert surely == sorted(surely, reverse=True)
    counts = np.bincount(test.items, minlength=test.n_items)
    assert result.judged == (counts >= result.enough).sum()


def test_small_and_unknown(parts: tuple[Ratings, Ratings]) -> None:
    few = parts[1].take(np.arange(3))
    known = apart(Bias().fit(parts[0]), few)
    assert known.n == 3
    assert known.enough <= 3
    assert known.calibration == ()
    unseen = Ratings.from_arrays(["nobody"], ["nothing"], [3.0], name="strangers")
    unknown = apart(Bias().fit(parts[0]), unseen)
    assert [b.ratings for b in (*unknown.by_user, *unknown.by_item)] == ["0", "0"]
    assert unknown.by_user[0].rmse_interval is None
    assert unknown.worst[0].title == "nothing"


def test_no_ratings(parts: tuple[Ratings, Ratings]) -> None:
    with pytest.raises(DataError, match="no test ratings"):
        apart(Bias().fit(parts[0]), parts[1].take(np.arange(0)))


def test_items_are_listed_by_what_their_error_is_at_least() -> None:
    """Of two items the one with the larger RMSE by a few wild ratings comes second."""
    users = np.repeat(np.arange(200), 2)
    items = np.tile([0, 1], 200)
    train = Ratings.from_arrays(users, items, np.full(400, 3.0), scale=Scale(1, 5))
    fresh = np.arange(1000, 1100)
    steady = np.full(100, 4.2)
    wild = np.full(100, 3.0)
    wild[:9] += np.where(np.arange(9) % 2, 2.0, -2.0)  # hardly ever far off, then very far
    wild[:9] *= 5.0
    test = Ratings.from_arrays(
        np.tile(fresh, 2), np.repeat([0, 1], 100), np.concatenate([steady, wild])
    )
    first, second = apart(Bias().fit(train), test).worst[:2]
    assert second.rmse > first.rmse
    assert (first.item_id, second.item_id) == (0, 1)
    assert first.at_least > second.at_least
