from __future__ import annotations

import sys
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

from matinee.data import Csr, group as group_entries
from matinee.errors import TrainingError, UsageError
from matinee.train.linear import LinearConfig, fit_linear, solve_mib
from matinee.train.linear.gram import gram
from matinee.train.linear.invert import invert, swept
from matinee.train.linear.known import KnownRows


def some(seed: int, users: int, items: int, share: float = 0.3) -> Csr:
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(rng.random((users, items)) < share)
    values = np.ones(len(rows), dtype=np.float32)
    return group_entries(rows.astype(np.int32), columns.astype(np.int32), values, users, items)


def inputs_of(matrix: np.ndarray) -> Csr:
    result = sparse.csr_matrix(matrix.astype(np.float32))
    return Csr(result.indptr.astype(np.int64), result.indices, result.data, None, matrix.shape[1])


def dense(rows: Csr) -> np.ndarray:
    expected = np.zeros((rows.n_rows, rows.n_columns))
    expected[np.repeat(np.arange(rows.n_rows), rows.counts), rows.indices] = 1.0
    return expected


def reference(x: np.ndarray, config: LinearConfig) -> np.ndarray:
    """The weights by the formulas of the papers, in dense float64."""
    counts = x.sum(axis=1)
    w = np.maximum(counts, 1.0) ** -config.user_power
    w *= counts.sum() / max(w @ counts, 1e-12)
    g = x.T @ (w[:, None] * x)
    gamma = np.diag(g) * config.denoising / (1 - config.denoising) + config.penalty
    p = np.linalg.inv(g + np.diag(gamma))
    d = np.diag(p)
    if config.relax:
        free = 1 - gamma * d > config.relax
        m = np.where(free, gamma + np.maximum(0, (1 - config.relax) / d - gamma), gamma)
    else:
        m = d**-config.diagonal_power
    b = -p * m
    np.fill_diagonal(b, 0.0)
    return b


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    users=st.integers(2, 40),
    items=st.integers(2, 40),
    l2=st.floats(0.5, 100.0),
    power=st.floats(0.0, 1.0),
    denoising=st.sampled_from([0.0, 0.2, 0.5]),
    relax=st.sampled_from([0.0, 0.3, 0.6]),
    diagonal=st.sampled_from([1.0, 0.7]),
    side=st.sampled_from(["items", "users"]),
)
def test_either_side_is_the_dense_closed_form(
    seed: int,
    users: int,
    items: int,
    l2: float,
    power: float,
    denoising: float,
    relax: float,
    diagonal: float,
    side: str,
) -> None:
    rows = some(seed, users, items)
    config = LinearConfig.make(
        {
            "penalty": l2,
            "user_power": power,
            "denoising": denoising,
            "relax": relax,
            "solve": side,
            "diagonal_power": diagonal,
        }
    )
    new = (np.random.default_rng(seed + 1).random((7, items)) < 0.4).astype(np.float32)
    scores = fit_linear(rows, config).scores(inputs_of(new))
    wanted = new @ reference(dense(rows), config)
    assert scores.dtype == np.float32
    # On the users' side terms of a history's own items cancel, in float32.
    tolerance = 2e-5 if side == "items" else 2e-4
    assert np.allclose(scores, wanted, atol=tolerance * max(1.0, np.abs(wanted).max()))


def test_strengths_scale_the_interactions() -> None:
    rows = some(1, 30, 12)
    values = np.random.default_rng(2).random(len(rows.indices)).astype(np.float32)
    x = dense(rows)
    x[x > 0] = values
    g = x.T @ x
    p = np.linalg.inv(g + 2.0 * np.eye(12))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0.0)
    scores = fit_linear(rows, LinearConfig(penalty=2.0), values).scores(inputs_of(np.eye(12)))
    assert np.allclose(scores, b, atol=1e-5)


def test_what_does_not_fit_in_memory_is_refused_before_it_starts() -> None:
    rows = some(1, 30, 20)
    need = solve_mib(30, 20, LinearConfig())
    assert need == pytest.approx(1.1 * 20 * 20 * 12 / 2**20)
    with pytest.raises(UsageError, match=r"30 users by 20 items.*max_gib.*k_core"):
        fit_linear(rows, LinearConfig(max_gib=need / 1024 / 2))


def test_the_smaller_side_is_solved() -> None:
    assert type(fit_linear(some(1, 10, 20), LinearConfig())).__name__ == "UserWeights"
    assert type(fit_linear(some(1, 20, 10), LinearConfig())).__name__ == "ItemWeights"


@pytest.mark.parametrize("share", [0.02, 0.9])
def test_a_gram_matrix_is_the_dense_product_whichever_way_it_is_made(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.train.linear.gram._DENSE_CELLS", 100)
    rng = np.random.default_rng(0)
    matrix = sparse.csr_matrix(rng.random((40, 25)) * (rng.random((40, 25)) < share))
    assert np.allclose(gram(matrix), (matrix.T @ matrix).toarray())


@pytest.mark.parametrize("size", [1, 128, 129])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_inverse_is_the_dense_one_at_any_size(size: int, dtype: type[np.floating]) -> None:
    half = np.random.default_rng(size).random((size, 2 * size))
    system = half @ half.T + size * np.eye(size)
    wanted = np.linalg.inv(system)
    inverse = invert(system.astype(dtype))
    assert inverse.dtype == dtype
    assert np.allclose(
        inverse, wanted, rtol=0, atol=np.abs(wanted).max() * 200 * np.finfo(dtype).eps
    )
    assert np.array_equal(inverse, inverse.T)
    with pytest.raises(TrainingError, match="no solution"):
        invert(-system.astype(dtype))


@pytest.mark.parametrize(("size", "block"), [(1, 4), (40, 64), (64, 16), (70, 16)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_inverse_in_blocks_is_the_dense_one(
    size: int, block: int, dtype: type[np.floating]
) -> None:
    half = np.random.default_rng(size).random((size, 2 * size))
    system = half @ half.T + size * np.eye(size)
    wanted = np.linalg.inv(system)
    given_system = system.astype(dtype)
    solution = swept(given_system, block)
    assert np.shares_memory(solution, given_system)
    assert np.allclose(
        solution, wanted, rtol=0, atol=np.abs(wanted).max() * 200 * np.finfo(dtype).eps
    )
    assert np.array_equal(solution, solution.T)
    with pytest.raises(TrainingError, match="no solution"):
        swept(-system.astype(dtype), block)


def test_training_people_are_scored_without_the_kernel_as_others_are() -> None:
    rows = some(5, 15, 40)
    strengths = np.random.default_rng(0).uniform(0.5, 1.5, len(rows.indices)).astype(np.float32)
    config = LinearConfig(penalty=3.0, user_power=0.4, denoising=0.3, solve="users")
    fitted = fit_linear(rows, config, strengths)
    inputs = sparse.csr_matrix((strengths, rows.indices, rows.indptr), shape=(15, 40))
    weighted = Csr(rows.indptr, rows.indices, inputs.data, None, 40)
    scores = fitted.scores(weighted)
    assert (fitted._users.find(inputs)[0] == np.arange(15)).all()
    by_items = fit_linear(rows, config.replace({"solve": "items"}), strengths)
    assert np.allclose(scores, by_items.scores(weighted), atol=1e-4)
    # Another strength of one entry makes a new person.
    inputs.data[0] *= 1.5
    assert fitted._users.find(inputs)[0][0] == -1
    assert np.allclose(fitted.scores(weighted), by_items.scores(weighted), atol=1e-4)


def test_few_scores_of_the_users_side_need_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("matinee.train.linear.solve")
    rows = some(7, 25, 60)
    fitted = fit_linear(rows, LinearConfig(penalty=3.0, solve="users"))
    kernel, calls = module.spread, []
    monkeypatch.setattr(module, "spread", lambda *args: calls.append(kernel(*args)))
    few = fitted.scores(rows)
    assert calls == []
    monkeypatch.setattr(module, "COMPILED", 25 * len(rows.indices))
    np.testing.assert_array_equal(few, fitted.scores(rows))
    assert calls == [None]


def test_users_can_be_left_out_of_a_solution() -> None:
    rows, config = some(5, 15, 40), LinearConfig(penalty=3.0, solve="users")
    kept = np.ones(15, dtype=np.bool_)
    kept[[2, 7]] = False
    fewer = fit_linear(rows, config).without(kept)
    anew = fit_linear(inputs_of(dense(rows)[kept]), config)
    for name in ("kernel", "diagonal"):
        assert np.allclose(getattr(fewer, name), getattr(anew, name), atol=1e-6), name
    assert (fewer.rows != anew.rows).nnz == 0


def test_rows_are_found_by_their_content() -> None:
    dense_rows = np.array([[1, 0, 2], [0, 0, 0], [1, 0, 1], [0, 3, 0]], dtype=np.float32)
    known = KnownRows(sparse.csr_matrix(dense_rows))
    asked = np.array([[2, 0, 4], [0, 0, 0], [2, 0, 1], [0, 1, 0], [1, 1, 1]], dtype=np.float32)
    rows, factors = known.find(sparse.csr_matrix(asked))
    assert rows.tolist() == [0, -1, -1, 3, -1]
    assert factors[[0, 3]].tolist() == pytest.approx([2.0, 1 / 3])


def test_what_takes_more_than_half_of_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = some(1, 30, 20)
    need = solve_mib(30, 20, LinearConfig()) * 2**20
    module = sys.modules[solve_mib.__module__]
    monkeypatch.setattr(module, "memory_limit", lambda: 2.1 * need)
    fit_linear(rows, LinearConfig())
    monkeypatch.setattr(module, "memory_limit", lambda: 1.9 * need)
    with pytest.raises(UsageError, match=r"half of this machine's memory is 0\.0.*nearest"):
        fit_linear(rows, LinearConfig())
