from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from matinee.train.lists import losses
from matinee.train.lists.cells import Cells
from matinee.train.lists.losses import Targets, list_loss, weighted_sums


class Problem:
    """A random batch, sparse and dense."""

    def __init__(
        self, seed: int, people: int, items: int, width: int, zero: float, dtype: torch.dtype
    ) -> None:
        rng = np.random.default_rng(seed)
        self.code, self.table, self.bias = (
            torch.tensor(rng.standard_normal(shape), dtype=dtype, requires_grad=True)
            for shape in ((people, width), (items, width), (items,))
        )
        chosen = rng.random((people, items)) < 0.3
        weights = np.where(rng.random((people, items)) < 0.5, 1.0, 0.3)
        importance = rng.random(people) + 0.1
        indptr = np.concatenate([[0], chosen.sum(axis=1).cumsum()]).astype(np.int64)
        cells = Cells.of(indptr, np.nonzero(chosen)[1].astype(np.int32), items)
        rows = weights[chosen].astype(self.code.detach().numpy().dtype)
        self.targets = Targets(cells, rows, torch.tensor(importance, dtype=dtype), zero)
        self.chosen, self.weights = torch.tensor(chosen).double(), torch.tensor(weights)
        self.importance = torch.tensor(importance)

    def dense(self, name: str) -> Tensor:
        """The loss by its definition, in float64."""
        scores = self.code.double() @ self.table.double().T + self.bias.double()
        if name == "square":
            counts = torch.where(self.chosen > 0, self.weights, self.targets.zero)
            each = (counts * (scores - self.chosen) ** 2).sum(1)
        else:
            each = -(self.chosen * self.weights * torch.log_softmax(scores, 1)).sum(1)
        return (self.importance * each).mean()

    def gradients(self, loss: Tensor) -> list[np.ndarray]:
        parameters = (self.code, self.table, self.bias)
        return [each.numpy() for each in torch.autograd.grad(loss, parameters)]


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    people=st.integers(1, 12),
    items=st.integers(1, 40),
    width=st.integers(1, 9),
    zero=st.floats(0.01, 1.5),
    name=st.sampled_from(list(losses.LOSSES)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_losses_and_gradients_are_those_of_the_dense_definition(
    seed: int, people: int, items: int, width: int, zero: float, name: str, dtype: torch.dtype
) -> None:
    case = Problem(seed, people, items, width, zero, dtype)
    loss = list_loss(name, case.code, case.table, case.bias, case.targets)
    assert loss.dtype == dtype
    dense = case.dense(name)
    close = 1e-11 if dtype == torch.float64 else 3e-5
    assert abs(loss.item() - dense.item()) <= close * (1.0 + abs(dense.item()))
    for gradient, wanted in zip(case.gradients(loss), case.gradients(dense), strict=True):
        assert gradient.shape == wanted.shape
        assert np.abs(gradient - wanted).max() <= close * (1.0 + np.abs(wanted).max())


def test_the_softmax_is_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Problem(1, 11, 20, 3, 0.5, torch.float64)
    monkeypatch.setattr(losses, "_BLOCK_CELLS", 60)
    loss = list_loss("multinomial", case.code, case.table, case.bias, case.targets)
    for gradient, wanted in zip(
        case.gradients(loss), case.gradients(case.dense("multinomial")), strict=True
    ):
        assert np.allclose(gradient, wanted, atol=1e-12)


def test_the_square_loss_never_forms_people_by_items() -> None:
    """Neither does anything of that size: 2,000 people by 2,000,000 items are 32 TB."""
    people, items, width = 2_000, 2_000_000, 2
    rng = np.random.default_rng(0)
    indptr = np.arange(people + 1, dtype=np.int64) * 3
    cells = Cells.of(indptr, rng.integers(items, size=3 * people).astype(np.int32), items)
    targets = Targets(cells, np.ones(3 * people, np.float32), torch.ones(people), 0.1)
    loss, *gradients = losses.square(
        torch.ones(people, width), torch.zeros(items, width), torch.zeros(items), targets
    )
    assert loss.item() == pytest.approx(3.0)
    assert [each.shape for each in gradients] == [(people, width), (items, width), (items,)]


def test_the_first_layer_and_its_gradient() -> None:
    case = Problem(2, 7, 15, 4, 0.5, torch.float64)
    table = case.table
    values = np.random.default_rng(0).standard_normal(len(case.targets.weights))
    dense = torch.zeros(7, 15, dtype=torch.float64)
    dense[case.targets.cells.owner, case.targets.cells.items.astype(np.int64)] = torch.tensor(
        values
    )
    sums = weighted_sums(case.targets.cells, values, table)
    assert torch.allclose(sums, dense @ table)
    (slope,) = torch.autograd.grad((sums**2).sum(), table)
    (wanted,) = torch.autograd.grad(((dense @ table) ** 2).sum(), table)
    assert torch.allclose(slope, wanted)
