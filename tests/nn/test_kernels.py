"""The kernels of the two big layers against dense arrays and torch's autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dense import ACTIVATIONS, Entries, close, entries
from hypothesis import given, settings

from matinee.nn import Transposer, add_weighted, sum_by_column
from matinee.nn.activations import ACTIVATIONS as TABLE
from matinee.nn.sparse import kernels

PRECISE = [(np.float64, 1e-10), (np.float32, 1e-5)]
precisions = pytest.mark.parametrize(("dtype", "tolerance"), PRECISE, ids=["float64", "float32"])
every = settings(max_examples=60, deadline=None)


def run_decode_loss(e: Entries, act: str) -> tuple[float, Any, Any]:
    error, d_hidden = np.full_like(e.target, np.nan), np.full_like(e.hidden, np.nan)
    code = TABLE[act].code
    arrays = (e.indptr, e.index, e.target, e.weight, e.hidden, e.table, e.bias)
    loss = kernels.decode_loss(*arrays, code, error, d_hidden)
    return loss, error, d_hidden


def dense_loss(e: Entries, act: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(loss, pre-activation outputs, hidden) of the dense masked loss, after backward."""
    hidden = torch.from_numpy(e.hidden.copy()).requires_grad_()
    before = hidden @ torch.from_numpy(e.table).t() + torch.from_numpy(e.bias)
    before.retain_grad()
    weight = e.grid(e.weight)
    miss = ACTIVATIONS[act](before) - e.grid(e.target)
    loss = (weight * miss * miss).sum() / weight.sum().clamp_min(1e-30)
    torch.autograd.backward(loss)
    return loss, before, hidden


def test_every_activation_has_a_kernel() -> None:
    assert set(TABLE) == set(ACTIVATIONS)
    assert len({entry.code for entry in TABLE.values()}) == len(TABLE)


@precisions
@given(e=entries())
@every
def test_encode(dtype: type, tolerance: float, e: Entries) -> None:
    part = e.to(dtype)
    out = np.full((len(e.indptr) - 1, e.table.shape[1]), np.nan, dtype=dtype)
    kernels.encode(part.indptr, part.index, part.coef, part.table, out)
    assert out.dtype == dtype
    assert close(out, e.grid(e.coef) @ torch.from_numpy(e.table), tolerance)


@pytest.mark.parametrize("act", ACTIVATIONS)
@precisions
@given(e=entries())
@settings(max_examples=15, deadline=None)
def test_decode(act: str, dtype: type, tolerance: float, e: Entries) -> None:
    part = e.to(dtype)
    out = np.full(len(e.index), np.nan, dtype=dtype)
    code = TABLE[act].code
    kernels.decode(part.indptr, part.index, part.hidden, part.table, part.bias, code, out)
    dense = torch.from_numpy(e.hidden) @ torch.from_numpy(e.table).t() + torch.from_numpy(e.bias)
    assert close(out, ACTIVATIONS[act](dense)[e.row, e.index], tolerance)


@pytest.mark.parametrize("act", ACTIVATIONS)
@given(e=entries())
@settings(max_examples=15, deadline=None)
def test_decode_loss_in_float64(act: str, e: Entries) -> None:
    loss, error, d_hidden = run_decode_loss(e, act)
    wanted, before, hidden = dense_loss(e, act)
    assert loss == pytest.approx(float(wanted.detach()), rel=1e-10, abs=1e-12)
    assert close(error, before.grad[e.row, e.index], 1e-10)  # type: ignore[index]
    assert close(d_hidden, hidden.grad, 1e-10)


@pytest.mark.parametrize("act", ACTIVATIONS)
@given(e=entries())
@settings(max_examples=15, deadline=None)
def test_decode_loss_in_float32(act: str, e: Entries) -> None:
    part = e.to(np.float32)
    loss, error, d_hidden = run_decode_loss(part, act)
    assert error.dtype == d_hidden.dtype == np.float32
    # Against float64 on the rounded inputs, off the kinks, where a rounding would turn the slope.
    rounded = part.to(np.float64)
    wanted, before, hidden = dense_loss(rounded, act)
    values = before.detach()[e.row, e.index]
    kinks = {"relu": (0,), "leaky_relu": (0,), "selu": (0,), "relu6": (0, 6)}.get(act, ())
    if any(bool(((values - kink).abs() < 1e-4).any()) for kink in kinks):
        return
    assert loss == pytest.approx(float(wanted.detach()), rel=1e-5, abs=1e-6)
    assert close(error, before.grad[e.row, e.index], 1e-5)  # type: ignore[index]
    assert close(d_hidden, hidden.grad, 1e-5)


@precisions
@given(e=entries())
@every
def test_both_tables_gradients_by_column(dtype: type, tolerance: float, e: Entries) -> None:
    """What the optimiser sums by column is what autograd finds for the dense tables."""
    part = e.to(dtype)
    _, error, d_hidden = run_decode_loss(part, "linear")
    table = torch.from_numpy(e.table.copy()).requires_grad_()
    bias = torch.from_numpy(e.bias.copy()).requires_grad_()
    weight = e.grid(e.weight)
    miss = torch.from_numpy(e.hidden) @ table.t() + bias - e.grid(e.target)
    loss = (weight * miss * miss).sum() / weight.sum().clamp_min(1e-30)
    # The encoder's table, of which d loss / d (its sums) is d_hidden.
    encoder = torch.from_numpy(e.table.copy()).requires_grad_()
    sums = e.grid(e.coef) @ encoder
    torch.autograd.backward([loss, sums], [None, torch.from_numpy(d_hidden).double()])

    columns = Transposer(len(e.table))(part.indptr, part.index)
    d_bias = np.zeros(len(e.table), dtype=dtype)
    sum_by_column(columns, error, d_bias)
    assert close(d_bias, bias.grad, tolerance)
    for entry, dense, wanted in (
        (error, part.hidden, table.grad),
        (part.coef, d_hidden, encoder.grad),
    ):
        gradient = np.zeros_like(part.table)
        for u, column in enumerate(columns.columns):
            span = slice(columns.start[u], columns.start[u + 1])
            pick, value = columns.row_of[span], entry[columns.entry_of[span]]
            add_weighted(value, pick, len(pick), dense, gradient[column])
        assert close(gradient, wanted, tolerance)


def test_column_sums_add_to_what_is_there() -> None:
    columns = Transposer(4)(np.array([0, 2, 3]), np.array([3, 1, 3], dtype=np.int32))
    out = np.full(4, 10.0)
    sum_by_column(columns, np.array([1.0, 2.0, 4.0]), out)
    assert out.tolist() == [10, 12, 10, 15]


@pytest.mark.parametrize("everything", [False, True])
@given(e=entries())
@every
def test_transpose(everything: bool, e: Entries) -> None:
    transposer = Transposer(len(e.table), everything=everything)
    for _ in range(2):  # its scratch space must come back clean
        columns = transposer(e.indptr, e.index)
    listed = range(len(e.table)) if everything else sorted(set(e.index.tolist()))
    assert sorted(columns.columns.tolist()) == list(listed)
    assert len(columns.start) == len(columns.columns) + 1
    assert columns.start[0] == 0
    assert columns.start[-1] == len(e.index)
    for u, column in enumerate(columns.columns):
        span = slice(columns.start[u], columns.start[u + 1])
        positions = columns.entry_of[span]
        assert positions.tolist() == np.flatnonzero(e.index == column).tolist()
        assert columns.row_of[span].tolist() == e.row[positions].tolist()


@precisions
def test_zero_coefficients_and_weights_cost_nothing_and_touch_nothing(
    dtype: type, tolerance: float
) -> None:
    """A hidden entry's table row is not even read: NaN there does not spread."""
    table = np.ones((3, 5), dtype=dtype)
    table[1] = np.nan
    indptr, index = np.array([0, 3]), np.arange(3, dtype=np.int32)
    mask = np.array([1, 0, 1], dtype=dtype)
    out = np.empty((1, 5), dtype=dtype)
    kernels.encode(indptr, index, mask, table, out)
    assert close(out, np.full((1, 5), 2.0), tolerance)
    error, d_hidden = np.empty(3, dtype=dtype), np.empty((1, 5), dtype=dtype)
    hidden, bias, target = np.ones((1, 5), dtype), np.zeros(3, dtype), np.zeros(3, dtype)
    loss = kernels.decode_loss(
        indptr, index, target, mask, hidden, table, bias, TABLE["linear"].code, error, d_hidden
    )
    assert loss == pytest.approx(25)
    assert close(error, [5, 0, 5], tolerance)
    assert close(d_hidden, np.full((1, 5), 10.0), tolerance)


@precisions
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_is_seen(dtype: type, tolerance: float, bad: float) -> None:
    hidden = np.full((1, 6), bad, dtype=dtype)
    one, error, d_hidden = np.ones(1, dtype=dtype), np.empty(1, dtype), np.empty((1, 6), dtype)
    indptr, index = np.array([0, 1]), np.zeros(1, dtype=np.int32)
    table = np.ones((1, 6), dtype=dtype)
    loss = kernels.decode_loss(indptr, index, one, one, hidden, table, one, 0, error, d_hidden)
    assert not np.isfinite(loss)


@precisions
@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("size", [-1e4, -300.0, -30.0, 0.0, 6.0, 30.0, 300.0, 1e4])
def test_activations_far_out_and_at_their_kinks(
    act: str, size: float, dtype: type, tolerance: float
) -> None:
    """No overflow turns a large pre-activation into NaN, in the value or in the gradient."""
    indptr, index = np.array([0, 1]), np.zeros(1, dtype=np.int32)
    hidden, table = np.full((1, 1), size, dtype=dtype), np.ones((1, 1), dtype=dtype)
    zero, one = np.zeros(1, dtype=dtype), np.ones(1, dtype=dtype)
    out, error, d_hidden = np.empty(1, dtype), np.empty(1, dtype), np.empty((1, 1), dtype)
    kernels.decode(indptr, index, hidden, table, zero, TABLE[act].code, out)
    kernels.decode_loss(
        indptr, index, zero - 1, one, hidden, table, zero, TABLE[act].code, error, d_hidden
    )
    x = torch.tensor([size], dtype=torch.float64, requires_grad=True)
    y = ACTIVATIONS[act](x)
    torch.autograd.backward((y + 1).square().sum())
    assert close(out, y.detach(), tolerance)
    assert close(error, x.grad, tolerance)


def test_nothing_to_score_is_no_loss() -> None:
    indptr, index = np.array([0, 2]), np.arange(2, dtype=np.int32)
    error, d_hidden = np.full(2, np.nan), np.full((1, 3), np.nan)
    table, hidden, zero = np.ones((2, 3)), np.ones((1, 3)), np.zeros(2)
    loss = kernels.decode_loss(indptr, index, zero, zero, hidden, table, zero, 0, error, d_hidden)
    assert loss == 0
    assert not error.any()
    assert not d_hidden.any()
