"""Shrinking, diversity, neighbours, lifts, the plane, reasons and questions, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from matinee.data import Histories, Scale
from matinee.recommend import (
    diversify,
    expected_change,
    lifts,
    most_alike,
    plane,
    reasons,
    shrink_few,
    unit_rows,
)


def test_few_ratings_are_pulled_to_the_persons_average() -> None:
    scores = np.array([[5.0, 3.0, 4.0], [1.0, 1.0, 1.0]])
    counts = np.array([0, 30, 10])
    average = (3 * 30 + 4 * 10) / 40
    result = shrink_few(scores, counts, strength=10)
    half, most = average + (4 - average) / 2, average + (3 - average) * 30 / 40
    np.testing.assert_allclose(result, [[average, most, half], [1, 1, 1]])
    np.testing.assert_array_equal(shrink_few(scores, counts + 1, strength=0), scores)


def test_shrinking_keeps_the_type_and_the_input() -> None:
    scores = np.ones((2, 3), dtype=np.float32)
    assert shrink_few(scores, np.array([1, 2, 3])).dtype == np.float32
    assert np.isfinite(shrink_few(scores, np.zeros(3, dtype=int), strength=0)).all()
    assert (scores == 1).all()


def test_no_diversity_is_the_order_of_the_scores() -> None:
    scores = np.array([3.0, 9.0, 5.0, 9.0])
    vectors = unit_rows(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32))
    assert diversify(scores, vectors, 3, 0.0).tolist() == [1, 3, 2]


def test_full_diversity_takes_the_unlike() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    scores = np.array([4.0, 3.9, 1.0, 0.5])
    assert diversify(scores, vectors, 4, 1.0).tolist()[:2] == [0, 3]
    assert diversify(scores, vectors, 3, 0.6).tolist() == [0, 3, 2]
    assert diversify(scores, vectors, 2, 0.1).tolist() == [0, 1]


@given(st.integers(1, 12), st.integers(1, 15), st.floats(0, 1), st.integers(0, 1000))
def test_a_diverse_list_is_some_of_the_pool_once(n: int, k: int, d: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit_rows(rng.normal(size=(n, 2)).astype(np.float32))
    result = diversify(rng.integers(0, 3, n).astype(float), vectors, k, d).tolist()
    assert len(result) == len(set(result)) == min(k, n)
    assert set(result) <= set(range(n))


def test_neighbours() -> None:
    vectors = unit_rows(np.array([[1, 0], [2, 0.1], [-1, 0], [0, 3], [0, 0]], dtype=np.float32))
    rows, cosines = most_alike(vectors, 0, 10)
    assert rows.tolist() == [1, 3, 4, 2]
    assert cosines[0] == pytest.approx(2 / np.hypot(2, 0.1), abs=1e-6)
    assert cosines[-1] == -1


def test_lifts_are_deviations_less_the_persons_own() -> None:
    scores = np.array([5.0, 4.0, 3.0, 3.0])
    usual = np.array([3.0, 3.0, 3.0, 2.0])
    weights = np.array([1.0, 1.0, 2.0, 0.0])
    result = lifts(scores, usual, weights, [np.array([0, 1]), np.array([2, 3]), np.array([3])])
    everywhere = (2 + 1 + 0) / 4
    np.testing.assert_allclose(result, [1.5 - everywhere, 0 - everywhere, 0])


def test_who_rates_everything_high_has_no_lift() -> None:
    usual = np.array([3.0, 2.0, 4.0])
    groups = [np.array([0]), np.array([1, 2])]
    np.testing.assert_allclose(lifts(usual + 1, usual, np.ones(3), groups), 0, atol=1e-12)


def test_the_plane_shows_the_widest_spread() -> None:
    rng = np.random.default_rng(4)
    flat = rng.normal(size=(200, 2)) * (5, 2)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    vectors = np.hstack([flat, np.zeros((200, 4))]) @ turn
    points, explained = plane(vectors, np.ones(200))
    assert explained.sum() == pytest.approx(1)
    assert explained[0] > explained[1]
    assert np.abs(points).max() == pytest.approx(1)
    # Distances are those of the flat points, but for the scale.
    wanted = np.linalg.norm(flat[:50, None] - flat[None, :50], axis=2)
    result = np.linalg.norm(points[:50, None] - points[None, :50], axis=2)
    np.testing.assert_allclose(result / result[0, 1], wanted / wanted[0, 1], rtol=1e-6)
    again, _ = plane(vectors[::-1], np.ones(200))
    np.testing.assert_allclose(again[::-1], points, atol=1e-9)


def test_rows_without_weight_do_not_shape_the_plane() -> None:
    vectors = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.1], [0.0, -0.1], [0.0, 50.0]])
    _, explained = plane(vectors, np.array([1, 1, 1, 1, 0]))
    assert explained[0] == pytest.approx(1 / 1.01)
    for odd in (np.zeros((3, 4)), np.ones((1, 1)), np.arange(4.0)[:, None]):
        points, explained = plane(odd, np.ones(len(odd)))
        assert np.isfinite(points).all()
        assert np.isfinite(explained).all()
        assert points.shape == (len(odd), 2)


def _quadratic(histories: Histories, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
    """A model whose predictions are no sum of the ratings' shares: the square of their sum."""
    sums = np.zeros(len(histories))
    people = np.repeat(np.arange(len(histories)), histories.counts)
    np.add.at(sums, people, histories.values)
    return sums[rows] ** 2 + items


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_reasons_leave_out_one_rating_each(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.recommend._leave_one_out._ENTRIES", at_once)
    history = Histories.build([([4, 2, 9], [1.0, 2.0, 3.0])])
    result = reasons(_quadratic, history, [10, 20], np.array([10.0, 20.0]))
    assert result.predictions.tolist() == [46, 56]
    assert result.baselines.tolist() == [10, 20]
    # By item code: 2.0 (item 2), 1.0 (item 4), 3.0 (item 9).
    assert result.contributions.tolist() == [[36 - 16, 36 - 25, 36 - 9]] * 2
    assert result.together.tolist() == [36 - 20 - 11 - 27] * 2
    assert result.strongest(2)[0].tolist() == [2, 0]


def test_reasons_of_nothing() -> None:
    result = reasons(_quadratic, Histories.build([([], [])]), [3], np.array([3.0]))
    assert result.contributions.shape == (1, 0)
    assert result.together.tolist() == [0]


def test_what_teaches_is_half_the_difference_between_answers() -> None:
    def model(histories: Histories, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Item 0 is rated 3; every other prediction follows the rating of the item before it."""
        out = np.full(len(rows), 3.0)
        for at, (row, item) in enumerate(zip(rows, items, strict=True)):
            person = slice(histories.indptr[row], histories.indptr[row + 1])
            rated = dict(
                zip(histories.items[person].tolist(), histories.values[person], strict=True)
            )
            out[at] = rated.get(item - 1, 3.0)
        return out

    history = Histories.build([([5], [1.0])])
    result = expected_change(
        model, history, np.array([2, 4, 9]), np.arange(4), error=1.0, scale=Scale(1, 3.5)
    )
    # Item 2 changes item 3 alone, among four, from 2 to 3.5 (the scale ends there).
    np.testing.assert_allclose(result, [np.sqrt(0.75**2 / 4), 0, 0])
    assert len(expected_change(model, history, [], [1], error=1.0, scale=Scale(1, 5))) == 0
