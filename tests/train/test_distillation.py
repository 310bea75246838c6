"""Predictions of teachers at sampled columns, beside the ratings of a batch."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from problems import ratings, run, settings

from matinee.data import Csr, group
from matinee.nn import Inputs, Network, make_inputs
from matinee.train import Distillation, Teacher, _distillation as distillation_module, train
from matinee.train._backend import KernelBackend, TorchBackend
from networks import predict_rows

CSR = ratings()
ROW = np.repeat(np.arange(CSR.n_rows, dtype=np.int32), CSR.counts)
TURNED = group(CSR.indices, ROW, CSR.values, CSR.n_columns, CSR.n_rows)
KINDS: list[dict[str, Any]] = [
    {},
    {"input": "presence", "input_scale": "sqrt", "center": "bias", "center_output": True},
    {"output_activation": "sigmoid", "center": "mean"},
]


def network(csr: Csr, seed: int = 0, **options: Any) -> tuple[Network, Inputs]:
    """A network of which no number is zero, in float64, as if it were trained."""
    config = settings(hidden=[5], **options).network
    offset = np.linspace(1, 2, csr.n_columns).astype(np.float32)
    inputs = make_inputs(config, offset)
    generator = torch.Generator().manual_seed(seed)
    net = Network(config, csr.n_columns, inputs.table_rows, generator, torch.float64)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype) / 2)
    return net, inputs


def asked(salt: int = 3, **options: Any) -> tuple[Any, Any, np.ndarray, Inputs]:
    """A batch before and after distillation, its rows and its inputs."""
    rows = np.array([7, 0, 31, 12], dtype=np.int64)
    _, inputs = network(CSR, input=options.pop("input", "presence"), center="bias")
    batch = inputs.batch(
        CSR.indptr, CSR.indices, CSR.values, rows, salt=salt, conditional=True, dtype=np.float64
    )
    teachers = options.pop("teachers", None) or [Teacher.of(*network(TURNED), TURNED)]
    reported = Distillation(CSR, teachers, **options).extend(batch, rows, inputs.offset, salt=salt)
    return batch, reported, rows, inputs


def halves(array: np.ndarray, indptr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A joint array apart again."""
    counts = np.diff(indptr)
    parts = np.split(array, np.cumsum(np.repeat(counts, 2))[:-1])
    return np.concatenate(parts[::2]), np.concatenate(parts[1::2])


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (1.5, 2.5)], ids=str)
def test_answers_are_the_teachers_predictions(
    kind: dict[str, Any], bounds: tuple[float, float]
) -> None:
    nets = [network(TURNED, seed, **kind) for seed in (1, 2)]
    teachers = [Teacher.of(*each, TURNED) for each in nets]
    every = np.arange(TURNED.n_rows)
    dense = np.mean([predict_rows(*each, TURNED, every).T for each in nets], axis=0)
    dense = np.clip(dense, *bounds)
    low, high = bounds
    batch, predicted, rows, inputs = asked(teachers=teachers, weight=0.7, low=low, high=high)
    column, target, weight = (
        halves(each, batch.indptr)[1]
        for each in (predicted.column, predicted.target, predicted.weight)
    )
    each = np.repeat(np.arange(len(rows)), np.diff(batch.indptr))
    assert np.array_equal(weight, np.full_like(weight, 0.7))
    wanted = dense[rows[each], column] - inputs.offset[column] - batch.row_bias[each]
    assert np.allclose(target, wanted, atol=1e-6)


@pytest.mark.parametrize("epochs", [1, 8, 80])
def test_predictions_that_are_kept_are_the_same(epochs: int) -> None:
    teachers = [Teacher.of(*network(TURNED, seed, **KINDS[2]), TURNED) for seed in (1, 2)]
    _, wanted, rows, _ = asked(teachers=teachers)
    for some in (None, rows[:2]):
        _, kept, _, _ = asked(teachers=teachers, epochs=epochs, rows=some)
        assert np.array_equal(kept.target, wanted.target)
    counts = CSR.counts[rows]
    distillation = Distillation(CSR, teachers, epochs=epochs, rows=rows)
    number = np.diff(distillation._kept._ptr)
    assert number.sum() <= 10 * len(CSR.values)
    assert not number[np.setdiff1d(np.arange(CSR.n_rows), rows)].any()
    assert (number[rows] > 0).tolist() == (epochs * counts >= 2 * _rarest()).tolist()


def test_predictions_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    teachers = [Teacher.of(*network(TURNED, **KINDS[2]), TURNED)]
    _, wanted, _, _ = asked(teachers=teachers)
    most = len(Distillation(CSR, teachers, epochs=80)._kept._values)
    monkeypatch.setattr(distillation_module, "_KEPT_IN_ALL", most - 1)
    assert 0 < len(Distillation(CSR, teachers, epochs=80)._kept._values) < most
    _, kept, _, _ = asked(teachers=teachers, epochs=80)
    assert np.array_equal(kept.target, wanted.target)


def test_keeping_predictions_takes_little_memory_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However few rows share them."""
    monkeypatch.setattr(distillation_module, "_KEPT_AT_ONCE", 100_000)
    rows, columns, each = 30, 50_000, 15_000
    rng = np.random.default_rng(0)
    indices = [np.sort(rng.choice(columns, each, replace=False)) for _ in range(rows)]
    known = Csr(
        np.arange(rows + 1, dtype=np.int64) * each,
        np.concatenate(indices).astype(np.int32),
        np.full(rows * each, 3.0, dtype=np.float32),
        None,
        columns,
    )
    zeros = np.zeros(columns, dtype=np.float32)
    ones = np.ones((rows, 1), dtype=np.float32)
    teacher = Teacher(zeros[:, None], zeros, ones, ones[:, 0], ones[:, 0], 0)
    assert len(Distillation(known, [teacher], epochs=0)._kept._values) == 0  # compiles the kernel
    tracemalloc.start()
    try:
        kept = Distillation(known, [teacher], epochs=80)._kept
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(kept._values) > 1_000_000
    assert (kept._values == 2.0).all()
    assert peak < 4 * kept._values.nbytes


def _rarest() -> float:
    """Ratings of all over those of the most popular column."""
    return len(CSR.values) / float(np.bincount(CSR.indices).max())


def test_a_teacher_with_a_weight_below_one() -> None:
    shrunk, inputs = network(TURNED, **KINDS[1])
    with torch.no_grad():  # as ``shrink_to_bias`` does in the end
        shrunk.table_out.mul_(0.4)
        shrunk.bias_out.mul_(0.4)
    dense = predict_rows(shrunk, inputs, TURNED, np.arange(TURNED.n_rows)).T
    for share in (0.4, 1.0):
        one = Teacher.of(*network(TURNED, **KINDS[1]), TURNED, share)
        reported = one.table @ one.vectors.T + one.bias[:, None] + one.offset[:, None] + one.added
        assert np.allclose(reported, dense, atol=1e-6) == (share == 0.4)


@pytest.mark.parametrize("kind", ["ratings", "presence"])
def test_the_ratings_are_as_before_and_answers_are_not_shown(kind: str) -> None:
    batch, extended, _, _ = asked(input=kind)
    assert np.array_equal(extended.indptr, 2 * batch.indptr)
    for name in ("column", "target", "weight"):
        first, _ = halves(getattr(extended, name), batch.indptr)
        assert np.array_equal(first, getattr(batch, name))
        assert getattr(extended, name).dtype == getattr(batch, name).dtype
    assert extended.row_bias is batch.row_bias
    if kind == "ratings":
        assert extended.source is extended.column
        assert extended.in_ptr is extended.indptr
        shown, hidden = halves(extended.coef, batch.indptr)
        assert np.array_equal(shown, batch.coef)
        assert not hidden.any()
    else:
        assert extended.source is batch.source
        assert extended.coef is batch.coef
        assert extended.in_ptr is batch.in_ptr


def test_columns_are_asked_for_as_often_as_they_are_rated() -> None:
    counts = np.zeros(CSR.n_columns)
    for salt in range(400):
        batch, extended, _, _ = asked(salt)
        counts += np.bincount(halves(extended.column, batch.indptr)[1], minlength=CSR.n_columns)
    rated = np.bincount(CSR.indices, minlength=CSR.n_columns)
    assert not counts[rated == 0].any()
    expected = (rated / rated.sum() * counts.sum())[rated > 0]
    statistic = np.sum((counts[rated > 0] - expected) ** 2 / expected)  # Pearson's
    cells = len(expected)
    assert statistic == pytest.approx(cells, abs=4 * np.sqrt(2 * cells))


def test_draws_are_by_the_salt() -> None:
    one, two, three = (asked(salt)[1].column for salt in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


@pytest.mark.parametrize("kind", ["ratings", "presence"])
def test_both_engines_learn_the_same(kind: str) -> None:
    weights, losses = [], []
    for backend in (KernelBackend, TorchBackend):
        chosen = settings(input=kind, epochs=3, batch_size=16, optimizer="sgd", learning_rate=0.05)
        state = run(chosen, csr=CSR, dtype=torch.float64)
        teacher = Teacher.of(*network(TURNED), TURNED)
        state = replace(state, distillation=Distillation(CSR, [teacher], 2.0, 0, 5))
        state.backend = backend(state.network, state.config, len(state.cuts))
        losses.append([epoch.loss for epoch in train(state)])
        weights.append(state.network.arrays())
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    for name, array in weights[0].items():
        assert np.abs(array - weights[1][name]).max() < 1e-12, name
    alone = [epoch.loss for epoch in train(run(chosen, csr=CSR, dtype=torch.float64))]
    assert losses[0] != pytest.approx(alone, rel=1e-3)
