"""SparseFC's network against the same written densely with torch's own gradients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch

from matinee.data import Ratings, Scale
from matinee.lab.rivals._kernel_net import KernelNet, Observed
from matinee.lab.rivals._lbfgs import observed

USERS, ITEMS, UNITS, DIM = 23, 17, 6, 3
LAMBDA_2, LAMBDA_S = 0.3, 0.2


def some(seed: int = 0) -> Ratings:
    """Ratings of 1 to 5; user 4 has none, and item 3 has none."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(USERS * ITEMS, 120, replace=False)
    pairs = pairs[(pairs // ITEMS != 4) & (pairs % ITEMS != 3)]
    base = Ratings.from_arrays(np.arange(USERS), np.arange(USERS) % ITEMS, np.ones(USERS))
    return Ratings(
        users=(pairs // ITEMS).astype(np.int32),
        items=(pairs % ITEMS).astype(np.int32),
        values=rng.integers(1, 6, len(pairs)).astype(np.float32),
        times=None,
        user_ids=base.user_ids,
        item_ids=base.item_ids,
        scale=Scale(1, 5),
    )


def net(layers: int, dtype: torch.dtype = torch.float64, spread: float = 0.35) -> KernelNet:
    """A small network whose kernels are partly 0, partly not."""
    rng = np.random.default_rng(3)
    made = KernelNet(
        USERS, UNITS, layers, DIM, lambda_2=LAMBDA_2, lambda_s=LAMBDA_S, rng=rng, dtype=dtype
    )
    with torch.no_grad():
        for each in made.parameters:
            each += torch.from_numpy(rng.normal(0, spread, each.shape))
    return made


def flat_of(tensors: Iterable[torch.Tensor | None]) -> torch.Tensor:
    return torch.cat([each.detach().ravel() for each in tensors if each is not None])


def losses_and_gradient(made: KernelNet, entries: Observed) -> tuple[list[float], torch.Tensor]:
    for each in made.parameters:
        each.grad = None
    losses = made.loss(entries)
    losses[1].backward()
    return [each.item() for each in losses], flat_of(each.grad for each in made.parameters)


def data(dtype: type = np.float64) -> Observed:
    ratings = some()
    entries = observed(ratings, ratings.values)
    return Observed(**{**entries.__dict__, "values": entries.values.astype(dtype)})


def dense(flat: torch.Tensor, layers: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The authors' network as they write it: half the squared errors, all penalties, dead share."""
    ratings = some()
    rows = torch.zeros(ITEMS, USERS, dtype=torch.float64)
    rows[ratings.items.astype(np.int64), ratings.users.astype(np.int64)] = torch.from_numpy(
        ratings.values.astype(np.float64)
    )
    position = 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal position
        size = int(np.prod(shape))
        position += size
        return flat[position - size : position].view(*shape)

    x, penalty, dead, all_ = rows, torch.zeros((), dtype=torch.float64), 0, 0
    for number in range(layers + 1):
        last = number == layers
        users_first = number in (0, layers)
        n, out = (USERS if users_first else UNITS), (USERS if last else UNITS)
        w, u, v, bias = take(n, UNITS), take(n, DIM), take(DIM, UNITS), take(out)
        distance = (u[:, None, :] - v.t()[None, :, :]).square().sum(2)
        kernel = (1 - distance).clamp_min(0)
        dead, all_ = dead + int((kernel == 0).sum()), all_ + kernel.numel()
        penalty = penalty + 0.5 * (LAMBDA_2 * w.square().sum() + LAMBDA_S * kernel.square().sum())
        effective = w * kernel
        x = x @ (effective.t() if last else effective) + bias
        x = x if last else torch.sigmoid(x)
    half = 0.5 * ((x - rows)[rows > 0]).square().sum()
    assert position == len(flat)
    return half, half + penalty, dead / all_


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_loss_and_gradient_are_those_of_the_dense_network(layers: int) -> None:
    made = net(layers)
    flat = flat_of(made.parameters).clone().requires_grad_()
    half, whole, dead = dense(flat, layers)
    assert 0.1 < dead < 0.9
    whole.backward()
    losses, gradient = losses_and_gradient(made, data())
    assert losses == pytest.approx([half.item(), whole.item()], rel=1e-12)
    assert flat.grad is not None
    assert np.allclose(gradient, flat.grad, atol=1e-10)


def test_float32_is_near() -> None:
    one, first = losses_and_gradient(net(2), data())
    two, second = losses_and_gradient(net(2, torch.float32), data(np.float32))
    assert two[1] == pytest.approx(one[1], rel=1e-5)
    assert np.allclose(second, first, atol=1e-3)


def test_predictions_are_the_output() -> None:
    made = net(2)
    items, users, biases = made.vectors(data())
    assert items.shape == (ITEMS, UNITS)
    ratings = some()
    guess = (items @ users.T + biases)[ratings.items, ratings.users]
    half = 0.5 * np.square(guess - ratings.values).sum()
    assert half == pytest.approx(made.loss(data())[0].item(), rel=1e-6)


def test_the_start_is_the_authors() -> None:
    made = KernelNet(400, 50, 2, 5, lambda_2=1, lambda_s=1, rng=np.random.default_rng(0))
    first, second, _ = made.layers
    assert first.w.abs().max().item() == pytest.approx((6 / 450) ** 0.5, rel=0.01)
    assert second.w.abs().max().item() == pytest.approx((6 / 100) ** 0.5, rel=0.01)
    assert first.bias.abs().max() <= (3 / 50) ** 0.5
    assert 0.7e-3 < first.u.std() < 1e-3
    assert first.u.abs().max() <= 2e-3
