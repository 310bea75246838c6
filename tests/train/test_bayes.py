"""Gibbs sampling of the Bayesian factorisation machine, against dense references in float64."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from matinee.base.arrays import Float64
from matinee.data import (
    CodedColumn,
    Histories,
    ItemTable,
    Ratings,
    Scale,
    SideColumns,
    coded_columns,
)
from matinee.train.bayes.config import BayesianConfig
from matinee.train.bayes.cross_fit import cross_fit
from matinee.train.bayes.features import Features
from matinee.train.bayes.posterior import Coded, Posterior
from matinee.train.bayes.probit import (
    bounds_of,
    cutpoint_slopes,
    draw_cutpoints,
    draw_latent,
    first_cutpoints,
)
from matinee.train.bayes.run import current, sample_posterior
from matinee.train.bayes.sampler import Gibbs, rank_for


def ratings(n_users: int = 12, n_items: int = 9, seed: int = 0, share: float = 0.5) -> Ratings:
    """Ratings of 1 to 5 with tastes in them, and columns of people and items."""
    rng = np.random.default_rng(seed)
    users, items = np.divmod(rng.permutation(n_users * n_items), n_items)
    some = int(share * len(users))
    users, items = users[:some], items[:some]
    taste = np.outer(rng.normal(size=n_users), rng.normal(size=n_items))[users, items]
    values = np.clip(np.round(3 + taste + 0.5 * rng.normal(size=some)), 1, 5)
    plain = Ratings.from_arrays(users, items, values, scale=Scale(1, 5)).compact()
    gender = np.array(["f", "m", ""], dtype=object)[np.arange(plain.n_users) % 3]
    genres = np.empty(plain.n_items, dtype=object)
    genres[:] = [("Drama", "War", "Noir")[: i % 4] for i in range(plain.n_items)]
    return replace(
        plain,
        user_columns=SideColumns({"gender": gender, "age": np.arange(plain.n_users) % 4.0}),
        item_table=ItemTable(genres, genres),
    )


def columns_of(train: Ratings, wanted: bool) -> Coded:
    assert train.item_table is not None
    sides = train.user_columns, SideColumns({"genres": train.item_table.side.columns["genres"]})
    users, items = coded_columns(["gender", "age", "genres"] if wanted else False, sides, "")
    return users, items


def dense(coded: Sequence[CodedColumn], n: int) -> Float64:
    """The levels of each row, each over the root of the row's number of them."""
    parts = [np.zeros((n, len(each.levels))) for each in coded]
    for part, each in zip(parts, coded, strict=True):
        for row in range(n):
            levels = each.codes[each.indptr[row] : each.indptr[row + 1]]
            part[row, levels] = 1.0 / np.sqrt(max(len(levels), 1))
    return np.hstack([np.zeros((n, 0)), *parts])


def design(train: Ratings, coded: Coded = ((), ())) -> tuple[Float64, Float64]:
    """The features of each rating by user, dense: those of the user, those of the item."""
    by_user = train.by_user
    rows = np.repeat(np.arange(train.n_users), by_user.counts)
    has = np.zeros((train.n_users, train.n_items))
    has[rows, by_user.indices] = 1.0
    of_users = has / np.sqrt(has.sum(axis=1, keepdims=True))
    of_items = has.T / np.sqrt(has.sum(axis=0)[:, None])
    users = [np.eye(train.n_users), of_users, dense(coded[0], train.n_users)]
    items = [np.eye(train.n_items), of_items, dense(coded[1], train.n_items)]
    left, right = np.hstack(users)[rows], np.hstack(items)[by_user.indices]
    return left, right


def dense_scores(gibbs: Gibbs, x: Float64) -> Float64:
    """The factorisation machine as Rendle (2010) writes it."""
    w = np.concatenate([each.weights for each in features(gibbs)])
    v = np.hstack([each.factors for each in features(gibbs)]).T
    pairs = np.square(x @ v) - np.square(x) @ np.square(v)
    return gibbs.start + x @ w + 0.5 * pairs.sum(axis=1)


def features(gibbs: Gibbs) -> list[Features]:
    return [each for side in (gibbs.users, gibbs.items) for each in (side.ids, *side.others)]


class Recorded:
    """A generator that remembers the normal draws it gave."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.draws: list[Float64] = []

    def standard_normal(self, size: int) -> Float64:
        self.draws.append(self.rng.standard_normal(size))
        return self.draws[-1]


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("likelihood", ["normal", "probit"])
def test_scores_kept_up_to_date_are_those_of_the_dense_machine(
    likelihood: str, columns: bool
) -> None:
    train = ratings()
    config = BayesianConfig(rank=3, likelihood=likelihood)  # type: ignore[arg-type]
    coded = columns_of(train, columns)
    gibbs = Gibbs(train, config, np.random.default_rng(1), coded)
    x = np.hstack(design(train, coded))
    for _ in range(5):
        gibbs.sweep()
        assert np.allclose(gibbs.scores(), dense_scores(gibbs, x), atol=2e-4)
    rows = np.repeat(np.arange(train.n_users, dtype=np.int32), train.by_user.counts)
    scores = current(gibbs, rows, train.by_user.indices)
    if likelihood == "normal":
        assert np.allclose(scores, gibbs.mean + gibbs.spread * dense_scores(gibbs, x))
    else:
        above = special.ndtr(dense_scores(gibbs, x)[:, None] - gibbs.cutpoints)
        assert np.allclose(scores, gibbs.levels[0] + above @ np.diff(gibbs.levels))


@pytest.mark.parametrize("columns", [False, True])
def test_draws_are_those_of_the_closed_form(columns: bool) -> None:
    """Each coordinate of both sides, and each linear weight, given all the rest."""
    train = ratings()
    config = BayesianConfig(rank=2, likelihood="normal")
    coded = columns_of(train, columns)
    gibbs = Gibbs(train, config, np.random.default_rng(1), coded)
    for _ in range(3):
        gibbs.sweep()
    gibbs._refresh()
    x = np.hstack(design(train, coded))
    y = gibbs._target.astype(np.float64)
    alpha = gibbs.alpha
    every = features(gibbs)
    assert len(every) == (7 if columns else 4)
    v = np.hstack([each.factors for each in every])
    w = np.concatenate([each.weights for each in every])
    priors = [each.prior for each in every]
    kind = np.repeat(np.arange(len(every)), [len(each.weights) for each in every])
    residual = y - dense_scores(gibbs, x)
    recorded = Recorded(5)
    gibbs._rng = recorded  # type: ignore[assignment]
    gibbs._draw_weights()
    gibbs._draw_factor(0)
    gibbs._apply_last_draw()

    def drawn(h: Float64, old: float, prior: Float64, normal: float) -> float:
        quad = alpha * h @ h + prior[1]
        mean = (alpha * (h @ residual + h @ h * old) + prior[0] * prior[1]) / quad
        return float(mean + normal / np.sqrt(quad))

    for f, normal in enumerate(np.concatenate(recorded.draws[:2])):
        new = drawn(x[:, f], w[f], priors[kind[f]][-1], normal)
        residual -= x[:, f] * (new - w[f])
        w[f] = new
    for f, normal in enumerate(np.concatenate(recorded.draws[2:])):
        h = x[:, f] * (x @ v[0] - x[:, f] * v[0, f])
        new = drawn(h, v[0, f], priors[kind[f]][0], normal)
        residual -= h * (new - v[0, f])
        v[0, f] = new
    values = np.concatenate([each.factors[0] for each in every])
    assert np.allclose(values, v[0], atol=1e-4)
    assert np.allclose(np.concatenate([each.weights for each in every]), w, atol=1e-4)
    assert np.allclose(gibbs._residual, residual, atol=1e-4)


@pytest.mark.parametrize("user", [None, -1, 0, 5])
def test_a_person_is_the_ridge_solution_given_a_sample(user: int | None) -> None:
    """None: without columns; -1: a new person, who has those of the mean person."""
    train = ratings(20, 15)
    config = BayesianConfig(
        rank=3,
        likelihood="normal",
        sweeps=12,
        burn_in=4,
        samples=3,
        chains=3,
        columns=() if user is None else ("gender", "age", "genres"),
    )
    posterior = sample_posterior(train, config, np.random.default_rng(0))
    items = np.array([2, 5, 7, 11], dtype=np.int32)
    actual = np.array([1.0, 5.0, 4.0, 2.0])
    histories = Histories.build([(items, actual)])
    known = dense(posterior.coded[0], train.n_users)  # their levels
    if user is not None and user >= 0:
        histories = replace(histories, users=np.array([user], dtype=np.int32))
    asked = np.arange(15, dtype=np.int32)
    predicted, _ = posterior.predict(histories, np.zeros(15, dtype=np.int64), asked)
    means = []
    for s in range(3):
        q, y = posterior.items[s].astype(np.float64), posterior.rated[s].astype(np.float64)[items]
        c = y.sum(axis=0) / 2.0
        fixed = posterior.start[s] + posterior.rated_weights[s][items].sum() / 2.0
        squares = np.square(y).sum() / 4.0
        if user is not None:
            factors = posterior.columns[s].astype(np.float64)
            weights = posterior.column_weights[s].astype(np.float64)
            levels = known[user] if user >= 0 else np.zeros(len(factors) - 1)
            levels = np.append(levels, float(user < 0))
            c += levels @ factors
            fixed += levels @ weights
            squares += np.square(levels) @ np.square(factors).sum(axis=1)
        fixed += 0.5 * (c @ c - squares)
        h = np.column_stack([c + q, np.ones(15)])
        base = fixed + posterior.scalars[s] + q @ c
        mean, precision = posterior.prior[s]
        gram = posterior.alpha[s] * h[items].T @ h[items] + np.diag(precision)
        y = (actual - posterior.mean) / posterior.spread - base[items]
        v = np.linalg.solve(gram, posterior.alpha[s] * h[items].T @ y + precision * mean)
        means.append(base + h @ v)
    expected = posterior.mean + posterior.spread * np.mean(means, axis=0)
    assert np.allclose(predicted, expected, atol=1e-4)
    assert np.allclose(posterior.scores(histories)[0], expected, atol=1e-3)


def test_a_person_of_ordinal_ratings_maximises_the_posterior_of_scores() -> None:
    """At the fixed point the factors are the ridge solution for the latents they imply."""
    train = ratings(20, 15)
    config = BayesianConfig(rank=2, sweeps=12, burn_in=4, samples=1)
    posterior = sample_posterior(train, config, np.random.default_rng(0))
    assert len(posterior.levels) == 5
    low = Histories.build([(np.array([0, 1, 2]), np.ones(3))])
    high = Histories.build([(np.array([0, 1, 2]), np.full(3, 5.0))])
    assert posterior.scores(low)[0, :3].mean() < posterior.scores(high)[0, :3].mean() - 0.5
    assert posterior.scores(low).min() >= 1
    assert posterior.scores(high).max() <= 5


def test_variance_is_that_of_the_levels() -> None:
    train = ratings(20, 15)
    config = BayesianConfig(rank=2, sweeps=12, burn_in=4, samples=4)
    posterior = sample_posterior(train, config, np.random.default_rng(0))
    histories = Histories.of(train.by_user)
    rows = np.repeat(np.arange(train.n_users), train.by_user.counts)
    mean, variance = posterior.predict(histories, rows, train.by_user.indices)
    assert ((variance > 0) & (variance <= (mean - 1) * (5 - mean) + 1e-6)).all()


def test_latents_are_truncated_normal_in_the_tails_as_well() -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    bounds = bounds_of(np.array([-0.5, 0.5]))
    for score, level in ((0.2, 1), (8.0, 0), (-9.0, 2), (-6.0, 1)):
        out = np.empty(n, dtype=np.float32)
        levels = np.full(n, level, dtype=np.int32)
        draw_latent(np.full(n, score, dtype=np.float32), levels, bounds, rng.random(n), out)
        low, high = bounds[level], bounds[level + 1]
        known = stats.truncnorm(low - score, high - score, loc=score)
        assert out.min() >= low
        assert out.max() <= high
        assert out.mean() == pytest.approx(known.mean(), abs=4 * known.std() / n**0.5 + 1e-5)
        assert out.std() == pytest.approx(known.std(), rel=0.05)


def test_slopes_of_the_cutpoints_are_derivatives() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=200).astype(np.float32)
    levels = rng.integers(0, 4, 200).astype(np.int32)
    cutpoints = np.array([-0.7, 0.1, 1.2])
    gradient, curvature = np.empty(3), np.empty((3, 3))
    cutpoint_slopes(scores, levels, bounds_of(cutpoints), gradient, curvature)
    ignored, hessian = np.empty((3, 3)), np.empty((3, 3))
    for k in range(3):
        step = np.eye(3)[k] * 1e-5
        values, slopes = [], []
        for sign in (1, -1):
            slope = np.empty(3)
            at = bounds_of(cutpoints + sign * step)
            values.append(cutpoint_slopes(scores, levels, at, slope, ignored))
            slopes.append(slope)
        assert gradient[k] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5, abs=1e-5)
        hessian[k] = (slopes[0] - slopes[1]) / 2e-5
    assert np.allclose(curvature, -hessian, rtol=1e-4, atol=1e-4)


def test_cutpoints_are_found_from_any_start() -> None:
    rng = np.random.default_rng(0)
    wanted = np.array([-1.2, -0.2, 0.9])
    scores = rng.normal(size=5000).astype(np.float32)
    levels = np.searchsorted(wanted, scores + rng.normal(size=5000)).astype(np.int32)
    result = first_cutpoints(np.bincount(levels).astype(np.float64))
    draws = []
    for _ in range(40):
        result = draw_cutpoints(result, scores, levels, rng)
        draws.append(result)
    assert len(np.unique(np.array(draws), axis=0)) > 25  # most proposals are accepted
    assert np.allclose(np.mean(draws[10:], axis=0), wanted, atol=0.08)


def test_chains_differ_and_end_when_the_caller_asks() -> None:
    config = BayesianConfig(rank=2, sweeps=6, burn_in=2, samples=4, chains=2)
    posterior = sample_posterior(ratings(), config, np.random.default_rng(0))
    assert posterior.n_samples == 4
    assert len(np.unique(posterior.start)) == 1  # w0 is fixed beside cutpoints
    assert len(np.unique(posterior.cutpoints[:, 0])) >= 2
    again = sample_posterior(ratings(), config, np.random.default_rng(0))
    assert np.array_equal(again.items, posterior.items)

    def stop(rmse: float, score: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_posterior(ratings(), config, np.random.default_rng(0), stop)


def test_rank_grows_with_the_data_within_bounds() -> None:
    assert [rank_for(n) for n in (10, 10_000, 80_000, 900_000, 10**8)] == [4, 4, 11, 38, 40]


def test_a_posterior_comes_back_from_its_state() -> None:
    config = BayesianConfig(rank=2, sweeps=6, burn_in=2, samples=2)
    posterior = sample_posterior(ratings(), config, np.random.default_rng(0))
    arrays, rest = posterior.state()
    back = Posterior.restore(arrays, rest)
    assert np.array_equal(back.items, posterior.items)
    with pytest.raises(ValueError, match="alpha has the shape"):
        Posterior.restore({**arrays, "alpha": np.ones(3)}, rest)


def test_the_mean_person_adds_what_people_do_on_average() -> None:
    train = ratings(20, 15)
    coded = columns_of(train, True)
    gibbs = Gibbs(train, BayesianConfig(rank=3), np.random.default_rng(0), coded)
    for _ in range(4):
        gibbs.sweep()
    x = dense(coded[0], train.n_users)
    factors, weights = gibbs.users.of_columns()
    sums = x @ factors[:-1]
    pairs = 0.5 * (np.square(sums) - np.square(x) @ np.square(factors[:-1])).sum(axis=1)
    assert np.allclose(factors[-1], sums.mean(axis=0))
    assert np.allclose(weights[-1], (x @ weights[:-1] + pairs).mean())


def test_columns_say_what_ratings_of_others_do_not() -> None:
    """A person of one rating is predicted by their group's taste; a stranger is not."""
    rng = np.random.default_rng(0)
    users, items = np.divmod(np.arange(80 * 20), 20)
    group = np.array(["a", "b"], dtype=object)[np.arange(80) % 2]
    like = (users + items) % 2 == 0
    kept = (rng.random(len(users)) < 0.5) & ((users != 7) | (items == 3))
    values = np.where(like, 5.0, 1.0)[kept]
    train = Ratings.from_arrays(users[kept], items[kept], values, scale=Scale(1, 5))
    train = replace(train, user_columns=SideColumns({"group": group}))
    config = BayesianConfig(rank=2, sweeps=60, burn_in=20, samples=20, implicit=False)
    history = Histories.of(train.by_user).take([7])
    spread = []
    for columns in (False, True):
        config = config.model_copy(update={"columns": columns})
        posterior = sample_posterior(train, config, np.random.default_rng(0))
        scores = posterior.scores(history)[0]
        spread.append(scores[1::2].mean() - scores[::2].mean())
        stranger = posterior.scores(replace(history, users=np.array([-1], dtype=np.int32)))[0]
    assert spread[1] > 3.5
    assert spread[1] > spread[0] + 0.5
    assert stranger[1::2].mean() - stranger[::2].mean() < spread[1]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("likelihood", ["normal", "probit"])
def test_it_is_equal_to_myfm_in_distribution(likelihood: str, columns: bool) -> None:
    """Posterior means and standard deviations of the scores of all pairs, rated or not."""
    myfm = _myfm()
    from scipy import sparse

    train = ratings(30, 20, share=0.6)
    coded = columns_of(train, columns)
    left, right = design(train, coded)
    every_left = np.repeat(np.unique(left, axis=0), 20, axis=0)
    every_right = np.tile(np.unique(right, axis=0), (30, 1))
    pairs = sparse.csr_matrix(np.hstack([every_left, every_right]))
    rank, sweeps, burn_in = 2, 4000, 500
    groups = [
        *(train.n_users, train.n_items, *(len(each.levels) for each in coded[0])),
        *(train.n_items, train.n_users, *(len(each.levels) for each in coded[1])),
    ]
    y = train.by_user.values.astype(np.float64)
    if likelihood == "probit":
        other = myfm.MyFMOrderedProbit(rank, random_seed=1)
        other.fit(
            sparse.csr_matrix(np.hstack([left, right])),
            (y - 1).astype(int),
            n_iter=sweeps,
            n_kept_samples=sweeps - burn_in,
            group_shapes=groups,
        )
        expected = other.predict_proba(pairs) @ np.arange(1.0, 6.0)
    else:
        other = myfm.MyFMRegressor(rank, random_seed=1)
        scaled = (y - y.mean()) / y.std()
        other.fit(
            sparse.csr_matrix(np.hstack([left, right])),
            scaled,
            n_iter=sweeps,
            n_kept_samples=sweeps - burn_in,
            group_shapes=groups,
        )
        expected = y.mean() + y.std() * other.predict(pairs)
    config = BayesianConfig(rank=rank, likelihood=likelihood)  # type: ignore[arg-type]
    gibbs = Gibbs(train, config, np.random.default_rng(2), coded)
    order = [_codes(np.unique(left, axis=0), 30), _codes(np.unique(right, axis=0), 20)]
    users = np.repeat(order[0], 20).astype(np.int32)
    items = np.tile(order[1], 30).astype(np.int32)
    total = np.zeros(len(users))
    for sweep in range(sweeps):
        gibbs.sweep()
        if sweep >= burn_in:
            total += current(gibbs, users, items)
    predicted = total / (sweeps - burn_in)
    spread = float(np.std(expected))
    assert np.sqrt(np.mean(np.square(predicted - expected))) < 0.1 * spread
    assert abs(np.mean(predicted - expected)) < 0.03 * spread


def _myfm() -> Any:
    """myFM 0.4 asks pkg_resources for its version, which setuptools no longer has."""
    if importlib.util.find_spec("myfm") is None:
        pytest.skip("pip install 'matinee[bench]' brings myFM")
    if "pkg_resources" not in sys.modules:
        stand_in: Any = types.ModuleType("pkg_resources")
        stand_in.DistributionNotFound = LookupError
        stand_in.get_distribution = lambda name: types.SimpleNamespace(version="")
        sys.modules["pkg_resources"] = stand_in
    return importlib.import_module("myfm")


def _codes(features: Float64, n: int) -> np.ndarray:
    """The row that each unique feature vector stands for: that of its id."""
    return np.argmax(features[:, :n], axis=1)


def test_cross_fitted_predictions_have_not_seen_the_rating() -> None:
    """A rating that is changed changes the predictions of others, and not its own."""
    train = ratings(20, 15)
    config = BayesianConfig(rank=2, likelihood="normal", sweeps=6, burn_in=2, samples=2)
    mean, variance, base = cross_fit(train, config, np.random.default_rng(0))
    assert len(mean) == len(variance) == len(base) == len(train)
    values = train.values.copy()
    values[7] = 6.0 - values[7] if values[7] != 3 else 5.0
    other, _, other_base = cross_fit(
        replace(train, values=values), config, np.random.default_rng(0)
    )
    order = train.by_user.order
    at = 7 if order is None else int(np.flatnonzero(order == 7)[0])
    assert other[at] == mean[at]
    assert other_base[at] == base[at]
    assert (np.delete(other, at) != np.delete(mean, at)).any()
