"""The layers around a code of which dropout keeps little, against autograd and the mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dense import ACTIVATIONS, network
from test_middle import compare

from matinee.nn.sparse import dropout_kernels as kernels, thin_code
from matinee.nn.sparse.thin_code import ThinCode


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small codes with any dropout go this way as well."""
    monkeypatch.setattr(thin_code, "THIN", 1.0)
    monkeypatch.setattr(thin_code, "WIDE", 1)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(6, 5, 6), (6, 5, 2, 5, 6)])
def test_gradients(activation: str, hidden: tuple[int, ...]) -> None:
    options: dict[str, Any] = {"activation": activation, "hidden": hidden}
    for tied in (False, True):
        compare(code_dropout=0.5, tied=tied, **options)
        compare(code_dropout=0.9, tied=tied, calls=2, **options)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("tied", [False, True])
def test_gradients_across_blocks_of_units(tied: bool) -> None:
    hidden = (9, 37, 2 * kernels.BLOCK + 5, 37, 9)
    compare(activation="selu", code_dropout=0.7, tied=tied, hidden=hidden)
    compare(1e-5, activation="selu", code_dropout=0.7, tied=tied, hidden=hidden, double=False)


def test_it_is_taken_where_it_pays() -> None:
    wide = (128, 128, 128)
    assert ThinCode.pays(network(hidden=wide, code_dropout=0.8))
    assert not ThinCode.pays(network(hidden=wide, code_dropout=0.5))
    assert not ThinCode.pays(network(hidden=(128, 64, 128), code_dropout=0.8))
    assert not ThinCode.pays(network(hidden=(128,), code_dropout=0.8))
    assert not ThinCode.pays(network(hidden=(128, 128), code_dropout=0.8))


@pytest.mark.parametrize("rows", [0, 1, 70])
def test_the_units_kept_are_the_masks(rows: int) -> None:
    seed, rate, units = np.uint64(5), 0.6, 41
    mask = np.full((rows, units), np.nan)
    kernels.draw_mask(seed, 3, rate, mask)
    indptr, unit = np.empty(rows + 1, dtype=np.int64), np.empty(rows * units, dtype=np.int32)
    kept = kernels.draw_kept(seed, 3, rate, units, indptr, unit)
    row, wanted = np.nonzero(mask)
    assert kept == len(row) == indptr[-1]
    assert np.array_equal(unit[:kept], wanted)
    assert np.array_equal(np.repeat(np.arange(rows), np.diff(indptr)), row)
    assert np.all(mask[row, wanted] == 1 / (1 - rate))


def test_part_of_a_batch_gets_its_part_of_the_mask() -> None:
    whole, part = network(hidden=(7,), code_dropout=0.5), network(hidden=(7,), code_dropout=0.5)
    mask = whole.dropout_mask(torch.zeros(9, 7))
    mask_of_part = part.dropout_mask(torch.zeros(4, 7), (3, 9))
    assert mask is not None
    assert mask_of_part is not None
    assert torch.equal(mask_of_part, mask[3:7])
    assert torch.equal(whole.generator.get_state(), part.generator.get_state())


@pytest.mark.parametrize("shape", [(1, 1), (8, 16), (19, 45), (64, 3)])
def test_transpose_to(shape: tuple[int, int]) -> None:
    array = np.random.default_rng(0).random(shape)
    out = np.full(shape[::-1], np.nan)
    kernels.transpose_to(array, out, False)
    assert np.array_equal(out, array.T)
    kernels.transpose_to(array, out, True)
    assert np.array_equal(out, 2 * array.T)
