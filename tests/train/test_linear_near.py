"""The closed form with the weights of few items each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from matinee.data import Csr
from matinee.errors import UsageError
from matinee.train.linear import LinearConfig, NearWeights, fit_linear


def some(seed: int, users: int, items: int, share: float) -> Csr:
    rng = np.random.default_rng(seed)
    found = sparse.csr_matrix((rng.random((users, items)) < share).astype(np.float32))
    found.sort_indices()
    return Csr(found.indptr.astype(np.int64), found.indices, found.data, None, items)


def gram_of(rows: Csr, config: LinearConfig, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weighted Gram matrix and Gamma in dense float64."""
    x = np.zeros((rows.n_rows, rows.n_columns))
    x[np.repeat(np.arange(rows.n_rows), rows.counts), rows.indices] = values
    counts = rows.counts.astype(float)
    w = np.maximum(counts, 1.0) ** -config.user_power
    w *= counts.sum() / (w @ counts)
    g = x.T @ (w[:, None] * x)
    return g, np.diag(g) * config.denoising / (1 - config.denoising) + config.penalty


def fitted(rows: Csr, config: LinearConfig, values: np.ndarray | None = None) -> np.ndarray:
    weights = fit_linear(rows, config, values)
    assert isinstance(weights, NearWeights)
    return np.asarray(weights.weights.toarray())


@pytest.mark.parametrize("user_power", [0.0, 0.4])
@pytest.mark.parametrize("denoising", [0.0, 0.5])
def test_with_all_other_items_it_is_the_closed_form(user_power: float, denoising: float) -> None:
    rows = some(0, 60, 12, 0.5)
    config = LinearConfig(penalty=3.0, user_power=user_power, denoising=denoising)
    whole = fit_linear(rows, config).weights  # type: ignore[attr-defined]
    near = fitted(rows, config.replace({"nearest": 50}))
    assert np.allclose(near, whole, atol=1e-5)


def test_few_items_are_solved_among_themselves() -> None:
    rows = some(1, 80, 25, 0.2)
    values = np.random.default_rng(2).uniform(0.5, 2.0, len(rows.indices)).astype(np.float32)
    config = LinearConfig(penalty=2.0, user_power=0.3, denoising=0.4, nearest=6)
    g, gamma = gram_of(rows, config, values)
    weights = fitted(rows, config, values)
    assert (np.count_nonzero(weights, axis=0) == 6).all()
    assert not np.diag(weights).any()
    for item in range(25):
        near = np.flatnonzero(weights[:, item])
        inner = g[np.ix_(near, near)] + np.diag(gamma[near])
        assert np.allclose(weights[near, item], np.linalg.solve(inner, g[near, item]), atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_nearest_are_those_of_the_penalised_cosine(weighted: bool) -> None:
    rows = some(3, 80, 25, 0.2)
    values = np.ones(len(rows.indices), np.float32)
    if weighted:
        values = np.random.default_rng(2).uniform(0.1, 2.0, len(values)).astype(np.float32)
    config = LinearConfig(penalty=2.0, user_power=0.3, denoising=0.4, nearest=6)
    g, gamma = gram_of(rows, config, values)
    size = np.sqrt(np.diag(g) + gamma)
    cosine = g / np.outer(size, size)
    np.fill_diagonal(cosine, -1.0)
    weights = fitted(rows, config, values)
    for item in range(25):
        near = np.flatnonzero(weights[:, item])
        others = np.setdiff1d(np.arange(25), near)
        assert cosine[near, item].min() >= cosine[others, item].max() - 1e-12


def test_items_without_people_or_company_have_no_weights() -> None:
    # Item 2 is one person's alone, item 3 nobody's.
    rows = Csr(
        np.array([0, 2, 4, 5]), np.array([0, 1, 0, 1, 2], np.int32), np.ones(5, np.float32), None, 4
    )
    weights = fitted(rows, LinearConfig(penalty=1.0, nearest=3))
    assert weights[1, 0] == pytest.approx(2 / 3)
    assert weights[0, 1] == pytest.approx(2 / 3)
    assert np.count_nonzero(weights) == 2
    scores = fit_linear(rows, LinearConfig(penalty=1.0, nearest=3)).scores(rows)
    assert scores.shape == (3, 4)
    assert np.allclose(scores[2], 0.0)


def test_its_memory_does_not_depend_on_max_gib() -> None:
    rows = some(4, 30, 12, 0.4)
    with pytest.raises(UsageError, match=r"linear\.nearest=100"):
        fit_linear(rows, LinearConfig(max_gib=1e-9))
    fitted(rows, LinearConfig(max_gib=1e-9, nearest=3))


@pytest.mark.parametrize("values", [{"relax": 0.3}, {"diagonal_power": 0.5}])
def test_scales_of_the_whole_closed_form_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="nearest"):
        LinearConfig.make({"nearest": 10, **values})
