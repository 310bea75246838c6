"""How rows of ratings become batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matinee.base.threads import _use
from matinee.data import CodedColumn, Csr, group, stacked
from matinee.nn import Batch, Inputs, NetworkConfig, make_inputs

KINDS = ["ratings", "presence"]


def ratings(seed: int = 0, rows: int = 40, columns: int = 25, share: float = 0.4) -> Csr:
    """Half stars from 0.5 to 5, less 1 so that some are negative and some 0; a row is empty."""
    rng = np.random.default_rng(seed)
    seen = rng.random((rows, columns)) < share
    seen[7 % rows] = False
    row, column = np.nonzero(seen)
    values = rng.integers(1, 11, len(row)) / 2 - 1
    return group(
        row.astype(np.int32), column.astype(np.int32), values.astype(np.float32), rows, columns
    )


def inputs_for(csr: Csr, *, row_reg: float = 5.0, **options: Any) -> Inputs:
    offset = np.zeros(csr.n_columns, dtype=np.float32)
    if options.get("center", "none") != "none":
        # Equal to no rating, so that no coefficient is 0 by chance.
        offset += np.linspace(1.013, 1.971, csr.n_columns).astype(np.float32)
    return make_inputs(NetworkConfig.make(options), offset, row_reg)


def make(csr: Csr, inputs: Inputs, rows: Any = None, **options: Any) -> Batch:
    rows = np.arange(csr.n_rows) if rows is None else np.asarray(rows, dtype=np.int64)
    options.setdefault("dtype", np.float64)
    return inputs.batch(csr.indptr, csr.indices, csr.values, rows, **options)


def entry_row(batch: Batch) -> np.ndarray:
    return np.repeat(np.arange(batch.rows), np.diff(batch.indptr))


def per_row(batch: Batch, values: np.ndarray) -> np.ndarray:
    return np.bincount(entry_row(batch), values, minlength=batch.rows)


def shown(batch: Batch, inputs: Inputs) -> np.ndarray:
    """Which entries the encoder is shown, by what it is given of them."""
    each = inputs.table_rows // len(inputs.offset)
    in_row = np.repeat(np.arange(batch.rows), np.diff(batch.in_ptr))
    nonzero = batch.coef != 0
    key = in_row.astype(np.int64) * len(inputs.offset) + batch.source // each
    return np.isin(entry_row(batch) * len(inputs.offset) + batch.column, key[nonzero])


def test_plain_ratings_in_any_order_of_rows() -> None:
    csr = ratings()
    rows = np.random.default_rng(1).permutation(csr.n_rows)[:30]
    batch = make(csr, inputs_for(csr), rows)
    assert batch.rows == 30
    where = np.concatenate([np.arange(csr.indptr[r], csr.indptr[r + 1]) for r in rows])
    assert np.diff(batch.indptr).tolist() == csr.counts[rows].tolist()
    assert np.array_equal(batch.column, csr.indices[where])
    assert np.array_equal(batch.source, batch.column)
    for array in (batch.coef, batch.target):
        assert np.array_equal(array, csr.values[where])
    assert (batch.weight == 1).all()
    assert not batch.row_bias.any()
    assert 0 in batch.target  # a rating of 0 has its place and its weight
    single = make(csr, inputs_for(csr), [3], dtype=np.float32)
    assert single.coef.dtype == single.target.dtype == single.weight.dtype == np.float32
    assert len(make(csr, inputs_for(csr), [7]).column) == 0


def test_presence_gives_every_rating_two_rows() -> None:
    csr = ratings()
    inputs = inputs_for(csr, input="presence", center="mean", input_scale="sqrt")
    assert inputs.table_rows == 2 * csr.n_columns
    batch = make(csr, inputs)
    assert np.array_equal(batch.in_ptr, 2 * batch.indptr)
    assert np.array_equal(batch.source[::2], 2 * batch.column)
    assert np.array_equal(batch.source[1::2], 2 * batch.column + 1)
    root = np.sqrt(np.repeat(csr.counts, csr.counts))
    assert np.allclose(batch.coef[::2], 1 / root, rtol=1e-12)
    assert np.allclose(batch.coef[1::2], batch.target / root, rtol=1e-12)
    hidden = make(csr, inputs, conditional=True, salt=1)
    assert (np.diff(hidden.in_ptr) == 2 * per_row(hidden, hidden.weight == 0)).all()


def test_sqrt_scaling() -> None:
    csr = ratings()
    root = np.sqrt(np.repeat(csr.counts, csr.counts))
    plain = make(csr, inputs_for(csr, input_scale="sqrt"))
    assert np.allclose(plain.coef, csr.values / root, rtol=1e-12)
    assert np.array_equal(plain.target, csr.values)
    presence = make(csr, inputs_for(csr, input_scale="sqrt", input="presence"))
    assert np.allclose(presence.coef[::2], 1 / root, rtol=1e-12)
    # Under the conditional objective it is the root of what is shown.
    inputs = inputs_for(csr, input_scale="sqrt", input="presence")
    batch = make(csr, inputs, conditional=True, salt=5)
    visible = np.diff(batch.in_ptr) // 2
    assert np.array_equal(visible, per_row(batch, batch.weight == 0))
    assert 0 < visible.sum() < len(csr.indices)
    assert np.allclose(batch.coef[::2], 1 / np.sqrt(np.repeat(visible, visible)), rtol=1e-12)


@pytest.mark.parametrize("center", ["none", "mean", "bias"])
@pytest.mark.parametrize("hide", [{}, {"dropout": 0.5}, {"conditional": True}], ids=str)
@pytest.mark.parametrize("input_", KINDS)
def test_centring_by_what_is_seen_only(center: str, hide: dict[str, Any], input_: str) -> None:
    csr = ratings()
    inputs = inputs_for(csr, center=center, row_reg=3.0, input=input_)
    batch = make(csr, inputs, salt=11, **hide)
    left = csr.values - inputs.offset[csr.indices]
    seen = shown(batch, inputs)
    row_bias = np.zeros(csr.n_rows)
    if center == "bias":
        row_bias = per_row(batch, np.where(seen, left, 0.0)) / (per_row(batch, seen) + 3.0)
        assert row_bias.any()
        row_bias[per_row(batch, seen) == 0] = 0
    assert np.allclose(batch.row_bias, row_bias, atol=1e-6)
    target = left - np.repeat(row_bias, csr.counts)
    assert np.allclose(batch.target, target, atol=1e-6)
    lift = 2.0 if "dropout" in hide else 1.0
    if input_ == "ratings":
        assert np.allclose(batch.coef, np.where(seen, lift * target, 0), atol=1e-5)
    else:
        assert (batch.coef[::2] == lift).all()
        assert np.allclose(batch.coef[1::2], lift * target[seen], atol=1e-5)


def test_input_dropout_hides_a_share_and_lifts_the_rest() -> None:
    csr = ratings(rows=400, columns=60)
    inputs = inputs_for(csr, center="mean")
    batch = make(csr, inputs, dropout=0.3, salt=2)
    seen = batch.coef != 0
    n = len(seen)
    assert seen.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / n))
    assert np.allclose(batch.coef[seen], batch.target[seen] / 0.7, rtol=1e-6)
    assert (batch.weight == 1).all()  # what is hidden from the encoder stays in the loss
    # Independent by entry: the spread over rows is the binomial's.
    shares = per_row(batch, seen)[csr.counts > 0] - 0.7 * csr.counts[csr.counts > 0]
    assert (shares**2).sum() / (0.21 * n) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("input_", KINDS)
def test_conditional_shows_or_scores(input_: str) -> None:
    csr = ratings(rows=600, columns=30)
    inputs = inputs_for(csr, center="mean", input=input_)
    batch = make(csr, inputs, conditional=True, salt=9)
    seen, scored = shown(batch, inputs), batch.weight != 0
    assert np.array_equal(seen, ~scored)
    total, left = per_row(batch, batch.weight), per_row(batch, scored)
    assert np.allclose(total[left > 0], csr.counts[left > 0], rtol=1e-12)
    assert not total[left == 0].any()
    # The share shown is uniform by row: quartiles in their places, all shown or none possible.
    some = csr.counts >= 8
    shares = (per_row(batch, seen) / np.maximum(csr.counts, 1))[some]
    assert np.allclose(np.quantile(shares, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.07)
    assert shares.min() < 0.06
    assert shares.max() > 0.94


@pytest.mark.parametrize("center", ["none", "mean", "bias"])
@pytest.mark.parametrize("input_", KINDS)
def test_conditional_hides_the_targets_from_the_encoder(center: str, input_: str) -> None:
    csr = ratings()
    inputs = inputs_for(csr, center=center, input=input_)
    batch = make(csr, inputs, conditional=True, salt=4)
    scored = batch.weight != 0
    assert 0 < scored.sum() < len(scored)
    other = np.where(scored, np.float32(3.0) - csr.values, csr.values)
    changed = Csr(csr.indptr, csr.indices, other, None, csr.n_columns)
    again = make(changed, inputs, conditional=True, salt=4)
    assert np.array_equal(again.coef, batch.coef)
    assert np.array_equal(again.row_bias, batch.row_bias)
    assert np.array_equal(again.weight, batch.weight)
    assert np.array_equal(again.source, batch.source)
    assert np.array_equal(again.in_ptr, batch.in_ptr)
    assert np.array_equal(again.target[~scored], batch.target[~scored])
    assert (again.target[scored] != batch.target[scored]).any()


def test_the_salt_decides() -> None:
    csr = ratings()
    inputs = inputs_for(csr, center="mean")
    for options in ({"conditional": True}, {"dropout": 0.5}):
        one, two = (make(csr, inputs, salt=2**63 - 1, **options) for _ in range(2))
        assert np.array_equal(one.coef, two.coef)
        other = make(csr, inputs, salt=2**63 - 2, **options)
        seen, seen_other = one.coef != 0, other.coef != 0
        agree = (seen == seen_other).mean()
        if "dropout" in options:  # neighbouring salts are as unlike as any
            assert agree == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(seen)))
        else:
            assert agree < 0.75
    without = make(csr, inputs, salt=1), make(csr, inputs, salt=2)
    assert np.array_equal(without[0].coef, without[1].coef)


@pytest.mark.parametrize("input_", KINDS)
def test_any_number_of_threads_draws_the_same(input_: str) -> None:
    csr = ratings(rows=300)
    inputs = inputs_for(csr, center="bias", input_scale="sqrt", input=input_)
    batches = []
    for number in (1, 2):
        _use(number)
        batches.append(
            [make(csr, inputs, salt=3, **o) for o in ({"conditional": True}, {"dropout": 0.2})]
        )
    _use(1)
    for one, two in zip(*batches, strict=True):
        for name in ("coef", "target", "weight", "row_bias", "source", "in_ptr"):
            assert np.array_equal(getattr(one, name), getattr(two, name)), name


@pytest.mark.parametrize("conditional", [False, True])
def test_columns_of_rows_are_further_inputs(conditional: bool) -> None:
    csr = ratings()
    labels = np.empty(csr.n_rows, dtype=object)
    labels[:] = [("a", "b", "c")[: n % 4] for n in range(csr.n_rows)]
    side = stacked([CodedColumn.of("labels", labels)])
    plain = inputs_for(csr, input="presence", center="bias", input_scale="sqrt")
    config = NetworkConfig.make({"input": "presence", "center": "bias", "input_scale": "sqrt"})
    inputs = make_inputs(config, plain.offset, side=side)
    assert inputs.table_rows == plain.table_rows + 3
    rows = np.random.default_rng(2).permutation(csr.n_rows)[:20]
    options: dict[str, Any] = {"salt": 5, "conditional": conditional}
    without, batch = (
        make(csr, plain, rows, **options),
        make(csr, inputs, rows, side=side, **options),
    )
    for name in ("indptr", "column", "target", "weight", "row_bias"):
        assert np.array_equal(getattr(batch, name), getattr(without, name))
    for at, row in enumerate(rows):
        own = slice(without.in_ptr[at], without.in_ptr[at + 1])
        here = slice(batch.in_ptr[at], batch.in_ptr[at + 1])
        n = row % 4
        levels = [plain.table_rows + level for level in range(n)]
        assert batch.source[here].tolist() == [*without.source[own].tolist(), *levels]
        scale = [1.0 / max(n, 1) ** 0.5] * n
        assert np.allclose(batch.coef[here], [*without.coef[own].tolist(), *scale])
    part = batch.take(slice(3, 9))
    again = make(csr, inputs, rows, side=side, **options)
    assert part.source.tolist() == again.source[again.in_ptr[3] : again.in_ptr[9]].tolist()
