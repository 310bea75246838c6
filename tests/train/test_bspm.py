"""BSPM against dense float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from matinee.data import Csr
from matinee.train.implicit import BspmConfig, BspmFilter, fit_bspm
from matinee.train.implicit.bspm import leading_vectors


def some(users: int = 30, items: int = 20, share: float = 0.25) -> tuple[Csr, np.ndarray]:
    x = (np.random.default_rng(0).random((users, items)) < share).astype(np.float64)
    x[:, 3] = 0.0  # an item that nobody has
    x[5] = 0.0  # a person without interactions
    return as_rows(x), x


def as_rows(x: np.ndarray) -> Csr:
    rows, columns = np.nonzero(x)
    indptr = np.r_[0, np.cumsum((x > 0).sum(axis=1))].astype(np.int64)
    weights = None if (x[x > 0] == 1).all() else x[x > 0].astype(np.float32)
    values = np.ones(len(rows), np.float32)
    return Csr(indptr, columns.astype(np.int32), values, None, x.shape[1], weights)


def reference(x: np.ndarray, people: np.ndarray, config: BspmConfig) -> np.ndarray:
    users, items = np.sqrt(x.sum(axis=1)), np.sqrt(x.sum(axis=0))
    over = np.outer(users, items)
    n = np.divide(x, over, out=np.zeros_like(x), where=over > 0)
    p = n.T @ n
    _, values, v = np.linalg.svd(n, full_matrices=False)
    v = v[: min(config.singular_vectors, int((values > 1e-6).sum()))]
    inverse = np.divide(1.0, items, out=np.zeros_like(items), where=items > 0)
    y = config.blur * people @ p + config.low_pass * (people * inverse) @ v.T @ v * items
    s = config.sharpen
    step = np.eye(len(p)) - s * p + s**2 * p @ p / 2 - s**3 * p @ p @ p / 6
    return np.asarray(y @ (step + s**4 * p @ p @ p @ p / 24))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"sharpen": 0.0, "low_pass": 0.3},  # GF-CF
        {"sharpen": 0.0, "blur": 0.0, "low_pass": 1.0},
        {"blur": 0.0, "sharpen": 1.5},
        {"low_pass": 0.0},
    ],
)
@pytest.mark.parametrize("number", [5, 500])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_those_of_the_dense_filters(
    values: dict[str, float], number: int, weighted: bool
) -> None:
    config = BspmConfig.make({**values, "singular_vectors": number})
    rng = np.random.default_rng(1)
    _, x = some()
    people = np.vstack([x, rng.random((4, 20)) < 0.3])  # those it was fitted to, and others
    if weighted:
        people *= rng.uniform(0.5, 1.5, people.shape)
        x = people[:30]
    asked = as_rows(people)
    scores = fit_bspm(as_rows(x), config).scores(asked)
    assert scores.dtype == np.float32
    assert scores.flags.c_contiguous
    expected = reference(x, people, config)
    assert np.allclose(scores, expected, atol=2e-5)


def test_without_blur_and_sharpening_no_interactions_are_kept() -> None:
    rows, _ = some()
    assert fit_bspm(rows, BspmConfig(blur=0.0, sharpen=0.0)).rows is None
    assert fit_bspm(rows, BspmConfig(blur=0.0)).rows is not None


def test_leading_vectors_span_what_the_singular_vectors_span() -> None:
    rng = np.random.default_rng(0)
    left, _ = np.linalg.qr(rng.standard_normal((300, 200)))
    right, _ = np.linalg.qr(rng.standard_normal((200, 200)))
    matrix = (left * 0.9 ** np.arange(200)) @ right.T
    result = leading_vectors(sparse.csr_matrix(matrix.astype(np.float32)), 20)
    assert result.shape == (200, 20)
    assert np.allclose(result.T @ result, np.eye(20), atol=1e-5)
    # The squared cosines of the angles between the two subspaces.
    assert np.linalg.svd(result.T @ right[:, :20])[1].min() > 0.999


def test_no_interactions_leave_no_vectors() -> None:
    rows = Csr(np.zeros(4, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), None, 5)
    fitted = fit_bspm(rows, BspmConfig())
    assert fitted.vectors.shape == (5, 0)
    one = Csr(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32), None, 5)
    assert np.array_equal(fitted.scores(one), np.zeros((1, 5)))


def test_people_are_scored_in_batches_beside_many_training_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, _ = some()
    filters = fit_bspm(rows, BspmConfig())
    whole = filters.scores(rows)
    monkeypatch.setattr("matinee.train.implicit.bspm._CELLS", 7 * rows.n_rows)
    batches: list[int] = []
    of_batch = BspmFilter._of_batch

    def counted(self: BspmFilter, people: Any) -> np.ndarray:
        batches.append(people.shape[0])
        return of_batch(self, people)

    monkeypatch.setattr(BspmFilter, "_of_batch", counted)
    np.testing.assert_allclose(filters.scores(rows), whole, atol=1e-5)
    assert batches == [7, 7, 7, 7, 2]
