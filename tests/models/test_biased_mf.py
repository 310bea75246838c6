"""Biased matrix factorisation through the shared battery, and against what it should find."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from battery import Battery, Case

from matinee.data import Ratings, Scale, split
from matinee.errors import UsageError
from matinee.models import Autoencoder, Bias, BiasedMF, load_model, model
from matinee.models.one_shot import EpochLog
from matinee.testing import fitted, sample
from matinee.train import Epoch, RunContext

CASES = [
    Case("biased-mf", BiasedMF, learns=True, bound=0.935),
    Case("ridge given", partial(BiasedMF, factors=5, ridge=0.7, sweeps=20), learns=True),
    Case("power 1", partial(BiasedMF, factors=5, ridge=0.1, ridge_power=1.0), learns=True),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestBiasedMF(Battery):
    pass


def low_rank(n_users: int = 200, n_items: int = 150, share: float = 0.3) -> tuple[Ratings, Ratings]:
    """Ratings that are biases plus two factors, without noise, and others of the same."""
    rng = np.random.default_rng(1)
    users, items = np.divmod(rng.permutation(n_users * n_items), n_items)
    biases = rng.normal(0, 0.3, n_users)[users] + rng.normal(0, 0.5, n_items)[items]
    taste = rng.normal(0, 0.7, (n_users, 2))[users] * rng.normal(0, 0.7, (n_items, 2))[items]
    values = 50 + 10 * (biases + taste.sum(axis=1))
    cut = int(share * len(users))
    scale = Scale(-100, 200)
    return tuple(  # type: ignore[return-value]
        Ratings.from_arrays(users[rows], items[rows], values[rows], scale=scale)
        for rows in (slice(0, cut), slice(cut, None))
    )


def test_low_rank_ratings_are_found_out() -> None:
    train, test = low_rank()
    exact = BiasedMF(factors=2, ridge=1e-4, user_ridge=1e-4, item_ridge=1e-4, sweeps=60)
    evaluation = exact.fit(train).evaluate(test)
    assert evaluation.rmse < 0.05
    assert Bias().fit(train).evaluate(test).rmse > 5


def test_users_are_the_ridge_solution_given_the_items() -> None:
    mf = fitted(CASES[1])
    assert isinstance(mf, BiasedMF)
    learned, config, data = mf.factors, mf.settings.mf, sample()
    of_user = data.users == 7
    rated = data.items[of_user]
    x = np.column_stack([learned.items.factors[rated], np.ones(of_user.sum())]).astype(np.float64)
    y = (data.values[of_user] - learned.mean) / learned.spread - learned.items.bias[rated]
    strength = learned.ridge * of_user.sum() ** config.ridge_power
    ridge = np.diag([*[strength] * config.factors, config.user_ridge])
    solution = np.linalg.solve(x.T @ x + ridge, x.T @ y)
    items = np.column_stack([learned.items.factors, np.ones(data.n_items)])
    expected = learned.mean + learned.spread * (items @ solution + learned.items.bias)
    predicted = mf.predict(107, data.item_ids.ids)
    assert np.allclose(predicted, expected.clip(0.5, 5), atol=1e-5)


def test_the_standard_deviations_are_those_of_its_own_errors() -> None:
    """Where taste dominates, the errors of the bias model are far larger."""
    train, test = low_rank()
    mf = BiasedMF(factors=2).fit(train)
    uncertainty = mf.evaluate(test).uncertainty
    assert uncertainty is not None
    assert uncertainty.source == "validation"
    assert 0.8 < uncertainty.z_rms < 1.25


def test_held_out_predictions_belong_to_their_ratings() -> None:
    train, _ = low_rank()
    mf = BiasedMF(factors=2)
    mf._learn(train, np.random.default_rng(0), EpochLog(train, RunContext()))
    held = mf._validation
    assert held is not None
    ratings = train.by_user.values[held.entries]
    rmse = float(np.sqrt(np.mean(np.square(held.predictions - ratings))))
    assert rmse == pytest.approx(dict(mf.search)[mf.factors.ridge], rel=1e-6)


def test_every_sweep_lowers_the_objective() -> None:
    """With power 0 a sweep minimises one and the same sum, side by side."""
    data = sample()
    sums = []
    for sweeps in range(1, 8):
        mf = BiasedMF(factors=4, ridge=0.5, ridge_power=0.0, sweeps=sweeps, clip=False)
        mf.fit(data, seed=2)
        learned, config = mf.factors, mf.settings.mf
        users = mf._users(mf.histories)  # type: ignore[arg-type]
        miss = (learned.ratings(users, data.users, data.items) - data.values) / learned.spread
        penalty = config.user_ridge * np.square(users.bias).sum()
        penalty += config.item_ridge * np.square(learned.items.bias).sum()
        for side in (users, learned.items):
            penalty += learned.ridge * np.square(side.factors).sum()
        sums.append(float(np.square(miss).sum() + penalty))
    assert all(after < before for before, after in pairwise(sums))


def test_long_rows_are_summed_like_short_ones() -> None:
    """A row of more than one stretch of 64 entries, against numpy in float64."""
    train, _ = low_rank(4, 400, 0.9)
    mf = BiasedMF(factors=3, ridge=0.5).fit(train)
    learned, history = mf.factors, mf.histories
    assert history is not None
    assert history.counts.min() > 128
    rows = history.take([2])
    x = np.column_stack([learned.items.factors[rows.items], np.ones(len(rows.items))])
    y = (rows.values - learned.mean) / learned.spread - learned.items.bias[rows.items]
    strength = learned.ridge * len(y) ** 0.5
    gram = (x.T @ x).astype(np.float64) + np.diag([strength] * 3 + [5.0])
    solution = np.linalg.solve(gram, x.T @ y)
    side = mf._users(rows)
    assert np.allclose(side.factors[0], solution[:3], atol=1e-4)
    assert side.bias[0] == pytest.approx(solution[3], abs=1e-4)


def test_ratings_without_taste_are_left_to_the_biases() -> None:
    """Four ratings a user and nothing but biases in them: the ridge that is found is large."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(1500), 4)
    items = np.concatenate([rng.choice(800, 4, replace=False) for _ in range(1500)])
    noise = rng.normal(0, 0.8, len(users))
    raw = 3.5 + rng.normal(0, 0.4, 1500)[users] + rng.normal(0, 0.5, 800)[items] + noise
    data = Ratings.from_arrays(users, items, np.clip(np.rint(raw), 1, 5), scale=Scale(1, 5))
    train, test = split(data, holdout=0.2, seed=0)
    mf = BiasedMF().fit(train)
    assert mf.factors.ridge >= 2.2
    assert mf.evaluate(test).rmse <= Bias().fit(train).evaluate(test).rmse + 0.002


@pytest.mark.parametrize(("low", "high"), [(0.5, 4), (1, 100), (-10, 10)])
def test_the_scale_does_not_matter(low: float, high: float) -> None:
    data = sample()
    values = low + (data.values - 0.5) / 4.5 * (high - low)
    users, items = data.user_ids.decode(data.users), data.item_ids.decode(data.items)
    moved = Ratings.from_arrays(users, items, values, scale=Scale(low, high))
    predicted = BiasedMF().fit(moved, seed=3).predict(users, items)
    plain = fitted(CASES[0]).predict(users, items)
    assert np.allclose(
        predicted, low + (plain - 0.5) / 4.5 * (high - low), atol=1e-3 * (high - low)
    )


def test_sweeps_are_reported_and_kept(tmp_path: object) -> None:
    seen: list[Epoch] = []
    mf = BiasedMF(sweeps=4).fit(sample(), on_epoch=seen.append, watch={"train": sample()})
    assert mf.planned_epochs == {(0, False): 4}
    assert seen == mf.epochs
    assert [epoch.epoch for epoch in seen] == [1, 2, 3, 4]
    assert seen[3].train_rmse < seen[0].train_rmse
    assert seen[3].watched["train"] == pytest.approx(seen[3].train_rmse, rel=0.02)
    back = load_model(mf.save(f"{tmp_path}/m"))
    assert isinstance(back, BiasedMF)
    assert back.epochs == mf.epochs
    assert back.search == mf.search
    assert len(mf.search) > 2


def test_what_does_not_apply_is_refused(tmp_path: object) -> None:
    assert isinstance(model("biased-mf", factors=3), BiasedMF)
    with pytest.raises(UsageError, match=r"train\.epochs has no effect on kind biased-mf.* mf"):
        model("biased-mf", epochs=3)
    with pytest.raises(UsageError, match=r"mf\.factors has no effect on kind autoencoder"):
        model("default", **{"mf.factors": 3})
    with pytest.raises(UsageError, match=r"of kind 'biased-mf'; matinee\.model makes"):
        Autoencoder("biased-mf")
    with pytest.raises(UsageError, match=r"of kind 'autoencoder'; matinee\.model makes"):
        BiasedMF("default")
    with pytest.raises(UsageError, match="keeps no checkpoints"):
        BiasedMF().fit(sample(), folder=f"{tmp_path}/run", resume=True)
    with pytest.raises(UsageError, match="no further measures: penalty"):
        BiasedMF().fit(sample(), measure=["penalty"])
