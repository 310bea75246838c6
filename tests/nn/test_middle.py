"""The middle layers differentiated by hand, against autograd through ``Network.middle``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from dense import ACTIVATIONS, close, network
from torch import Tensor

from matinee.base.threads import kernel_threads
from matinee.nn import Middle, Network, shares_products

DEPTHS = [(7,), (6, 3), (8, 3, 5), (7, 4, 5, 6), (6, 5, 2, 5, 6)]
MIRRORED = [(7,), (6, 6), (8, 3, 8), (7, 4, 4, 7), (6, 5, 2, 5, 6)]


def by_hand(
    net: Network, gathered: Tensor, d: Tensor, calls: int = 1, *, shared: bool = False
) -> list[Tensor]:
    """Output, gradient at the encoder's sums and at every parameter, of the last of ``calls``."""
    net.train()
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    middle = Middle(net, shared=shared)
    for _ in range(calls):
        for p in net.parameters():
            assert p.grad is not None
            p.grad.zero_()
        out = middle.forward(gathered.clone()).clone()
        d_gathered = middle.backward(d.clone())
    small = [p for n, p in net.named_parameters() if n not in ("table_in", "table_out", "bias_out")]
    return [out, d_gathered, *(p.grad.clone() for p in small if p.grad is not None)]


def by_autograd(net: Network, gathered: Tensor, d: Tensor) -> list[Tensor]:
    net.train()
    for p in net.parameters():
        p.grad = None
    leaf = gathered.clone().requires_grad_()
    out = net.middle(leaf)
    torch.autograd.backward(out, d)
    small = [p for n, p in net.named_parameters() if n not in ("table_in", "table_out", "bias_out")]
    assert leaf.grad is not None
    return [out.detach(), leaf.grad, *(p.grad for p in small if p.grad is not None)]


def compare(tolerance: float = 1e-12, calls: int = 1, **options: Any) -> None:
    nets = [network(3, **options) for _ in range(2)]
    dtype, width = nets[0].table_in.dtype, nets[0].config.hidden
    source = torch.Generator().manual_seed(1)
    gathered = torch.empty(5, width[0], dtype=dtype).normal_(0, 2, generator=source)
    d = torch.empty(5, width[-1], dtype=dtype).normal_(generator=source)
    state = nets[0].generator.get_state()
    one = by_hand(nets[0], gathered, d, calls)
    for _ in range(calls):
        nets[1].generator.set_state(state) if calls == 1 else None
        two = by_autograd(nets[1], gathered, d)
    assert (
        len(one) == len(two) == 2 + len(list(nets[0].parameters())) - 2 - (not nets[0].config.tied)
    )
    for left, right in zip(one, two, strict=True):
        assert close(left.numpy(), right, tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("depth", range(5))
def test_gradients(activation: str, tied: bool, depth: int) -> None:
    hidden = (MIRRORED if tied else DEPTHS)[depth]
    compare(activation=activation, tied=tied, hidden=hidden)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_in_float32(activation: str) -> None:
    compare(1e-5, activation=activation, hidden=(8, 3, 5), double=False)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("depth", range(5))
def test_gradients_under_dropout(tied: bool, depth: int) -> None:
    hidden = (MIRRORED if tied else DEPTHS)[depth]
    compare(activation="elu", code_dropout=0.5, tied=tied, hidden=hidden)
    # And with the masks of a second step: both draw them from the generator alike.
    compare(activation="tanh", code_dropout=0.3, tied=tied, hidden=hidden, calls=2)


@pytest.mark.parametrize("activation", ["sigmoid", "selu"])
@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("hidden", [(6,), (8, 3, 8)])
def test_gradients_with_batch_norm(activation: str, tied: bool, hidden: tuple[int, ...]) -> None:
    options = {"activation": activation, "tied": tied, "hidden": hidden, "batch_norm": True}
    compare(**options)
    compare(code_dropout=0.5, calls=3, **options)


def test_gradients_add_up() -> None:
    net = network(hidden=(4, 3))
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    middle, gathered, d = Middle(net), torch.ones(2, 4).double(), torch.ones(2, 3).double()
    sums = []
    for _ in range(2):
        middle.forward(gathered.clone())
        middle.backward(d)
        sums.append(net.weights[0].grad.clone())  # type: ignore[union-attr]
    assert torch.equal(sums[1], 2 * sums[0])


def test_kinks_as_torch_has_them() -> None:
    """At exactly 0 and 6 the slopes are torch's."""
    for activation in ACTIVATIONS:
        net = network(hidden=(3,), activation=activation)
        with torch.no_grad():
            net.bias_in.zero_()
        x, d = torch.tensor([[0.0, 6.0, -0.0]]).double(), torch.ones(1, 3).double()
        leaf = x.clone().requires_grad_()
        torch.autograd.backward(ACTIVATIONS[activation](leaf), d)
        assert torch.equal(by_hand(net, x, d)[1], leaf.grad)  # type: ignore[arg-type]


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
def test_shared_products_are_those_of_one_thread(
    tied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of rows, the last of them short, by one thread and by two: the same bits."""
    monkeypatch.setattr("matinee.nn._middle.SHARED_SIZE", 1)
    hidden = (70, 150, 70)
    source = torch.Generator().manual_seed(1)
    gathered = torch.empty(130, 70).double().normal_(0, 2, generator=source)
    d = torch.empty(130, 70).double().normal_(generator=source)
    options: dict[str, Any] = {"hidden": hidden, "activation": "tanh", "tied": tied}
    alone = by_hand(network(3, **options), gathered, d)
    shared = []
    for threads in (1, 2):
        with kernel_threads(threads), one_torch_thread():
            shared.append(by_hand(network(3, **options), gathered, d, shared=True))
    for left, right, whole in zip(*shared, alone, strict=True):
        assert torch.equal(left, right)
        assert close(left.numpy(), whole, 1e-12)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def test_products_are_shared_from_a_number_of_multiplications(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = network(hidden=(8, 3, 5))  # 39 multiplications a row
    monkeypatch.setattr("matinee.nn._middle.SHARED_SIZE", 390)
    assert shares_products(net, 10)
    assert not shares_products(net, 9)
