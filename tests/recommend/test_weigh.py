"""Weights of several scorers, found on interactions held out of training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.base.arrays import Float32
from matinee.data import Csr, Histories
from matinee.recommend.interest import Blend, Interest
from matinee.recommend.interest.base import State
from matinee.recommend.interest.held_out import HeldOut
from matinee.recommend.interest.weigh import DEPTH, TOLERANCE, Pool, weigh

PEOPLE, ITEMS = 300, 400


class Fixed(Interest):
    """Scores that are given, found by a person's first item."""

    name = "fixed"

    def __init__(self, part: HeldOut, table: Float32) -> None:
        self.counts = np.ones(ITEMS, dtype=np.float32)
        self.table = table
        self.row_of = {tuple(part_items(part.known, p)): p for p in range(PEOPLE)}

    def _scores(self, histories: Histories) -> Float32:
        ends = histories.indptr
        items = [tuple(histories.items[ends[at] : ends[at + 1]]) for at in range(len(histories))]
        return self.table[[self.row_of[each] for each in items]].copy()

    def state(self) -> State:
        raise NotImplementedError

    restore = None  # type: ignore[assignment]


def part_items(rows: Csr, person: int) -> list[int]:
    return rows.indices[rows.indptr[person] : rows.indptr[person + 1]].tolist()


@pytest.fixture(scope="module")
def part() -> HeldOut:
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.choice(ITEMS, 15, replace=False)) for _ in range(PEOPLE)]
    indices = np.concatenate(rows).astype(np.int32)
    ones = np.ones(len(indices), np.float32)
    whole = Csr(np.arange(PEOPLE + 1, dtype=np.int64) * 15, indices, ones, None, ITEMS)
    return HeldOut.draw(whole, rng)


def scorer(part: HeldOut, signal: float, seed: int) -> Fixed:
    """Noise, with held-out items higher by some amount."""
    table = np.random.default_rng(seed).normal(size=(PEOPLE, ITEMS)).astype(np.float32)
    table[np.repeat(np.arange(PEOPLE), part.held.counts), part.held.indices] += signal
    return Fixed(part, table)


def test_lists_of_the_pool_are_those_of_the_blend(part: HeldOut) -> None:
    scorers = [scorer(part, 2.0, 1), scorer(part, 1.0, 2)]
    pool = Pool.of(part, scorers)
    assert pool.scores.shape[1] <= 2 * DEPTH + part.held.counts.max()
    for weights in ((1.0, 0.0), (0.7, 0.3), (0.5, 0.5)):
        blend = Blend(scorers[0].counts, scorers, weights)
        assert np.allclose(pool.ndcg_each(weights), part.ndcg_each(blend), atol=0.02)
        assert pool.ndcg(weights) == pytest.approx(part.ndcg(blend), abs=1e-3)


def test_held_out_items_that_share_their_score_are_not_favoured(part: HeldOut) -> None:
    flat = Fixed(part, np.ones((PEOPLE, ITEMS), dtype=np.float32))
    assert Pool.of(part, [flat]).ndcg([1.0]) < 0.01


def test_weights_go_to_what_is_better(part: HeldOut) -> None:
    pool = Pool.of(part, [scorer(part, 0.0, 1), scorer(part, 3.0, 2), scorer(part, 2.5, 3)])
    weights = weigh(pool, (0.8, 0.1, 0.1))
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0.0
    assert weights[0] < 0.2
    assert min(weights[1:]) > 0.3
    assert pool.ndcg(weights) > 1.3 * pool.ndcg((0.8, 0.1, 0.1))


def test_initial_weights_are_kept_unless_the_gain_is_large(part: HeldOut) -> None:
    pool = Pool.of(part, [scorer(part, 2.0, 1), scorer(part, 2.0, 2)])
    best = pool.ndcg((0.5, 0.5))
    near = next(
        w for w in np.linspace(0, 0.5, 51) if pool.ndcg((w, 1 - w)) > best * (1 - TOLERANCE / 2)
    )
    assert weigh(pool, (float(near), float(1 - near))) == pytest.approx((near, 1 - near), abs=1e-4)
    far = weigh(pool, (0.0, 1.0))
    assert 0.1 < far[0] <= 0.6
    assert pool.ndcg(far) > best * (1 - TOLERANCE)


def test_without_people_the_initial_weights_are_kept(part: HeldOut) -> None:
    nobody = HeldOut(part.known, part.held, part.people[:0])
    pool = Pool.of(nobody, [scorer(part, 1.0, 1), scorer(part, 1.0, 2)])
    assert weigh(pool, (0.3, 0.7)) == (0.3, 0.7)


def test_smaller_gains_change_the_weights_where_the_latest_interactions_are_held_out(
    part: HeldOut,
) -> None:
    scorers = [scorer(part, 2.0, 1), scorer(part, 2.0, 2)]
    pool = Pool.of(part, scorers)
    latest = Pool.of(replace(part, latest=True), scorers)
    best = pool.ndcg((0.5, 0.5))
    shares = np.linspace(0.0, 0.5, 51)
    share = next(w for w in shares if pool.ndcg((w, 1 - w)) > best * (1 - 2 * TOLERANCE / 3))
    begin = (float(share), float(1 - share))
    assert latest.ndcg(weigh(latest, begin)) > pool.ndcg(weigh(pool, begin))


def test_the_latest_of_each_person_are_held_out_where_times_are_known() -> None:
    times = np.array([5, 9, 7, 1, 2, 30, 10, 20])
    rows = Csr(np.array([0, 5, 8]), np.arange(8, dtype=np.int32), np.ones(8, np.float32), None, 8)
    part = HeldOut.draw(rows, np.random.default_rng(0), share=0.4, times=times)
    assert part.latest
    assert part.held.indices.tolist() == [1, 2, 5]
    assert part.known.indices.tolist() == [0, 3, 4, 6, 7]
    assert not HeldOut.draw(rows, np.random.default_rng(0)).latest
