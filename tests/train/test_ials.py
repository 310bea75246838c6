"""Implicit alternating least squares against a dense float64 reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee.data import Csr
from matinee.errors import TrainingError
from matinee.train.implicit import IalsConfig, fit_ials
from matinee.train.implicit.ials import ridges, rotated, solved, steps_for, transposed


def some(
    seed: int, users: int, items: int, share: float, weighted: bool = False
) -> tuple[Csr, np.ndarray]:
    """Interactions, and their confidences as a dense matrix."""
    x = (np.random.default_rng(seed).random((users, items)) < share).astype(np.float64)
    rows, columns = np.nonzero(x)
    indptr = np.r_[0, np.cumsum(x.sum(axis=1))].astype(np.int64)
    values = np.ones(len(rows), np.float32)
    csr = Csr(indptr, columns.astype(np.int32), values, None, items)
    if not weighted:
        return csr, x
    weights = np.random.default_rng(seed + 1).exponential(1.0, len(rows)).astype(np.float32) + 0.01
    x[rows, columns] = weights
    return replace(csr, weights=weights), x


def solve_dense(x: np.ndarray, other: np.ndarray, config: IalsConfig) -> np.ndarray:
    """The vectors of all rows by the normal equations, x being the confidences."""
    expected = np.zeros((len(x), other.shape[1]))
    for row, vector in enumerate(x):
        if vector.any():
            strength = (vector.sum() + config.unobserved * len(other)) ** config.ridge_power
            left = (other * vector[:, None]).T @ other + config.unobserved * other.T @ other
            left += config.ridge * strength * np.eye(other.shape[1])
            expected[row] = np.linalg.solve(left, vector @ other)
    return expected


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    users=st.integers(1, 12),
    items=st.integers(1, 30),
    width=st.integers(1, 9),
    share=st.sampled_from([0.05, 0.5, 1.0]),
    unobserved=st.sampled_from([0.01, 0.3]),
    ridge_power=st.sampled_from([0.0, 0.6, 1.0]),
    weighted=st.booleans(),
)
def test_a_solve_is_the_dense_one(
    seed: int,
    users: int,
    items: int,
    width: int,
    share: float,
    unobserved: float,
    ridge_power: float,
    weighted: bool,
) -> None:
    """Rows of fewer and of more entries than factors, and of none."""
    config = IalsConfig(unobserved=unobserved, ridge_power=ridge_power, ridge=0.05)
    rows, x = some(seed, users, items, share, weighted)
    other = np.random.default_rng(seed).normal(size=(items, width))
    turned, shared, basis = rotated(other, unobserved)
    assert np.allclose(turned, other @ basis)
    ridge = ridges(rows.row_weights, items, config)
    solution = solved(rows, turned, shared, ridge)
    wanted = solve_dense(x, turned, config)
    assert np.allclose(solution, wanted, rtol=1e-8, atol=1e-10)
    # As many steps as factors arrive there from anywhere.
    start = np.random.default_rng(seed + 2).normal(size=solution.shape)
    stepped = solved(rows, turned, shared, ridge, start, 2 * width + 2)
    assert np.allclose(stepped, wanted, rtol=1e-5, atol=1e-7)
    # Turning the vectors changes no score.
    assert np.allclose(solution @ turned.T, solve_dense(x, other, config) @ other.T, atol=1e-8)


def objective(x: np.ndarray, w: np.ndarray, h: np.ndarray, config: IalsConfig) -> float:
    score = w @ h.T
    of_user, of_item = x.sum(axis=1), x.sum(axis=0)
    user = config.ridge * (of_user + config.unobserved * len(h)) ** config.ridge_power
    item = config.ridge * (of_item + config.unobserved * len(w)) ** config.ridge_power
    fit = (x * (1 - score) ** 2).sum() + config.unobserved * (score**2).sum()
    return float(fit + user @ (w**2).sum(axis=1) + item @ (h**2).sum(axis=1))


@pytest.mark.parametrize("weighted", [False, True])
def test_sweeps_lower_the_objective_to_the_dense_alternation(weighted: bool) -> None:
    config = IalsConfig(factors=5, unobserved=0.1, ridge=0.02, steps=0)
    rows, x = some(1, 40, 25, 0.2, weighted)
    h = np.random.default_rng(0).normal(0.0, 0.1 / np.sqrt(5), (25, 5))
    losses = []
    for sweeps in (1, 2, 5):
        made = fit_ials(rows, config.replace({"sweeps": sweeps}), np.random.default_rng(0))
        w = made.fold_in(rows)
        losses.append(objective(x, w.astype(float), made.items.astype(float), config))
    assert losses[0] > losses[1] > losses[2]
    for _ in range(5):
        w = solve_dense(x, h, config)
        h = solve_dense(x.T, w, config)
    wanted = solve_dense(x, h, config) @ h.T
    assert np.allclose(made.scores(rows), wanted, atol=2e-4)


def test_vectors_of_either_side_that_are_not_finite_name_the_option_to_raise() -> None:
    rows, _ = some(0, 40, 30, 0.3)
    weights = 10.0 ** np.random.default_rng(0).uniform(-30, 30, len(rows.values))
    wide = replace(rows, weights=np.maximum(weights / weights.mean(), 1e-37).astype(np.float32))
    config = IalsConfig(factors=8, ridge=1e-20, unobserved=1e-10, sweeps=4)
    with pytest.raises(TrainingError, match=r"raise ials\.ridge"):
        fit_ials(wide, config, np.random.default_rng(0))


def test_six_steps_a_sweep_reach_the_objective_of_exact_solves() -> None:
    config = IalsConfig(factors=12, unobserved=0.05, ridge=0.005)
    rows, x = some(5, 200, 90, 0.3)
    exact, stepped = (
        fit_ials(rows, config.replace({"steps": steps}), np.random.default_rng(0))
        for steps in (0, 6)
    )
    one, two = (
        objective(x, made.fold_in(rows).astype(float), made.items.astype(float), config)
        for made in (exact, stepped)
    )
    assert two == pytest.approx(one, rel=5e-3)


def test_a_step_starts_from_the_vector_given() -> None:
    """One step from the solution stays there, and one from elsewhere lowers the objective."""
    config = IalsConfig(factors=6)
    rows, x = some(6, 30, 20, 0.4)
    other = np.random.default_rng(0).normal(size=(20, 6))
    turned, shared, _ = rotated(other, config.unobserved)
    ridge = ridges(rows.row_weights, 20, config)
    wanted = solve_dense(x, turned, config)
    assert np.allclose(solved(rows, turned, shared, ridge, wanted.copy(), 1), wanted, atol=1e-9)
    start = np.random.default_rng(1).normal(size=wanted.shape)
    one = solved(rows, turned, shared, ridge, start.copy(), 1)
    before, after, best = (objective(x, w, turned, config) for w in (start, one, wanted))
    assert best < after < best + 0.3 * (before - best)


def test_steps_after_convergence_change_nothing() -> None:
    """A row of one entry has its vector after one step; 200 more stay finite, in float32 too."""
    rows, _ = some(7, 30, 20, 0.05)
    other = np.random.default_rng(0).normal(size=(20, 16))
    for kind, close in ((np.float32, 1e-4), (np.float64, 1e-10)):
        turned, shared, _ = rotated(other.astype(kind), 0.1)
        ridge = ridges(rows.row_weights, 20, IalsConfig())
        near = np.zeros((30, 16), kind)
        stepped = solved(rows, turned, shared, ridge, near, 200)
        assert np.allclose(stepped, solved(rows, turned, shared, ridge), atol=close)


def test_short_rows_are_solved_exactly() -> None:
    rows, _ = some(8, 50, 200, 0.3)
    assert steps_for(rows, 6) == 6
    assert steps_for(rows, 40) == 0


def test_weights_of_one_change_no_bit() -> None:
    rows, _ = some(1, 40, 25, 0.2)
    ones = replace(rows, weights=np.ones(len(rows.indices), np.float32))
    config = IalsConfig(factors=5)
    plain, weighted = (
        fit_ials(each, config, np.random.default_rng(0)).scores(each) for each in (rows, ones)
    )
    assert np.array_equal(plain, weighted)


def test_a_weight_of_two_is_two_interactions() -> None:
    """Confidences add up, in the loss and in the regularisation."""
    config = IalsConfig(factors=4, ridge_power=0.7)
    rows, _ = some(4, 12, 9, 0.5)
    other = np.random.default_rng(0).normal(size=(9, 4))
    turned, shared, _ = rotated(other, config.unobserved)
    entries = len(rows.indices)
    doubled = Csr(2 * rows.indptr, np.repeat(rows.indices, 2), np.ones(2 * entries), None, 9)
    twice = replace(rows, weights=np.full(entries, 2.0, np.float32))
    one, two = (
        solved(each, turned, shared, ridges(each.row_weights, 9, config))
        for each in (doubled, twice)
    )
    assert np.allclose(one, two, rtol=1e-9)


def test_a_person_with_nothing_scores_nothing() -> None:
    rows, _ = some(2, 20, 15, 0.3)
    made = fit_ials(rows, IalsConfig(factors=4, sweeps=2), np.random.default_rng(0))
    nothing = np.zeros(0, dtype=np.float32)
    empty = Csr(np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int32), nothing, None, 15)
    assert (made.scores(empty) == 0).all()


def test_the_columns_of_interactions() -> None:
    rows, x = some(3, 7, 9, 0.4, weighted=True)
    columns, turned = transposed(rows), x.T
    assert np.array_equal(columns.counts, (turned > 0).sum(axis=1))
    assert np.array_equal(columns.indices, np.nonzero(turned)[1])
    assert np.array_equal(columns.weights, turned[turned > 0].astype(np.float32))
    assert np.allclose(columns.row_weights, x.sum(axis=0))
    assert np.allclose(rows.column_weights, x.sum(axis=0))
