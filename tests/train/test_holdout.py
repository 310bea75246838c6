"""Ratings kept out of training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from problems import divide, parts, ratings, settings as make_settings

from matinee.data import Csr, Ratings
from matinee.train import Holdout, hold_out_ratings, validation_share
from networks import predict_rows


def entries(csr: Csr) -> list[tuple[int, int, float]]:
    rows = np.repeat(np.arange(csr.n_rows), csr.counts)
    return list(zip(rows.tolist(), csr.indices.tolist(), csr.values.tolist(), strict=True))


@given(
    counts=st.lists(st.integers(0, 12), min_size=1, max_size=12),
    share=st.floats(0, 0.999),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_carving_parts_the_entries_and_empties_no_row(
    counts: list[int], share: float, seed: int
) -> None:
    total = sum(counts)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    index = np.concatenate([np.arange(c) for c in counts]).astype(np.int32)
    values = np.random.default_rng(seed).normal(size=total).astype(np.float32)
    csr = Csr(indptr, index, values, None, 12)
    kept, out = divide(csr, share, np.random.default_rng(seed))
    assert sorted(entries(kept) + entries(out)) == sorted(entries(csr))
    assert not set(entries(kept)) & set(entries(out))
    assert ((kept.counts > 0) == (csr.counts > 0)).all()
    assert kept.n_rows == out.n_rows == csr.n_rows
    assert kept.n_columns == out.n_columns == 12
    for part in (kept, out):  # still ascending within a row
        rows = np.repeat(np.arange(part.n_rows), part.counts)
        assert (np.diff(rows * 100 + part.indices) > 0).all()


def test_carving_takes_its_share_by_the_seed() -> None:
    csr = ratings(rows=300, columns=200)
    kept, out = divide(csr, 0.2, np.random.default_rng(1))
    assert len(out.values) / len(csr.values) == pytest.approx(0.2, abs=0.02)
    again, other = (divide(csr, 0.2, np.random.default_rng(seed))[1] for seed in (1, 2))
    assert entries(again) == entries(out)
    assert entries(other) != entries(out)
    assert len(divide(csr, 0.0, np.random.default_rng(1))[1].values) == 0
    assert len(kept.values) + len(out.values) == len(csr.values)


def test_rmse_is_that_of_clipped_predictions() -> None:
    csr = ratings()
    kept, out = divide(csr, 0.3, np.random.default_rng(0))
    net, inputs = parts(make_settings(init="normal", init_scale=0.9), csr)
    scores = predict_rows(net, inputs, kept, np.arange(csr.n_rows))
    rows = np.repeat(np.arange(csr.n_rows), out.counts)
    predicted = scores[rows, out.indices]
    assert predicted.min() < 0
    assert predicted.max() > 5
    for low, high in ((-np.inf, np.inf), (0.0, 5.0)):
        wanted = np.sqrt(np.mean((np.clip(predicted, low, high) - out.values) ** 2))
        assert Holdout.of(out, low, high).rmse(net, inputs, kept) == pytest.approx(wanted, rel=1e-9)
    assert len(Holdout.of(out)) == len(out.values)
    assert (out.counts == 0).any()  # rows with nothing held out were among them


@pytest.mark.parametrize(
    ("ratings", "share"),
    [
        (None, 0.005),
        (2_000_000, 0.005),
        (10**6, 0.005),
        (500_000, 0.01),
        (100_000, 0.02),
        (50_000, 0.04),
        (20_000, 0.1),
        (3, 0.1),
    ],
)
def test_auto_keeps_out_5000_ratings_or_half_a_percent_but_more_of_few(
    ratings: int | None, share: float
) -> None:
    assert validation_share("auto", ratings) == pytest.approx(share)
    assert validation_share(0.3, ratings) == 0.3


@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=40, unique=True
    ),
    share=st.floats(0.5, 0.999),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_everybody_and_every_item_keeps_a_rating(
    pairs: list[tuple[int, int]], share: float, seed: int
) -> None:
    users, items = np.array(pairs).T
    data = Ratings.from_arrays(users, items, np.ones(len(pairs)))
    out = hold_out_ratings(data, share, np.random.default_rng(seed))
    assert set(data.users[~out]) == set(data.users)
    assert set(data.items[~out]) == set(data.items)


def test_a_share_of_the_ratings_is_held_out_whatever_their_order() -> None:
    users, items = np.divmod(np.arange(4000), 80)
    data = Ratings.from_arrays(users, items, np.arange(4000.0))
    out = hold_out_ratings(data, 0.2, np.random.default_rng(0))
    assert out.mean() == pytest.approx(0.2, abs=0.02)
    other = data.take(np.random.default_rng(1).permutation(4000))
    again = hold_out_ratings(other, 0.2, np.random.default_rng(0))
    assert set(other.values[again]) == set(data.values[out])
    assert (hold_out_ratings(data, 0.2, np.random.default_rng(1)) != out).any()
