"""What the sampled form of re-feeding leaves unbiased: the mean over every sample there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from matinee.nn import Network, NetworkConfig
from matinee.train import TrainConfig, _refeed as module
from matinee.train._refeed import Fed, TorchRefeed

COLUMNS, SHOWN, ROWS = 6, 2, 3
SELU = {"activation": "selu", "output_activation": "selu"}
NETWORKS: list[dict[str, Any]] = [
    SELU,
    {**SELU, "input": "presence", "input_scale": "sqrt"},
    {"tied": True, "output_activation": "sigmoid"},
]


@pytest.fixture(autouse=True)
def few_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two columns summed for each shown: then a sum is over a sample too."""
    monkeypatch.setattr(module, "_SUMMED", 2)


def made(options: dict[str, Any]) -> tuple[Network, Tensor]:
    """A network with every weight off zero, and its last hidden layer for three rows."""
    config = NetworkConfig.make({"hidden": [4, 3, 4], **options})
    generator = torch.Generator().manual_seed(3)
    table_rows = COLUMNS * (2 if config.input == "presence" else 1)
    network = Network(config, COLUMNS, table_rows, generator, torch.float64)
    with torch.no_grad():
        for p in network.parameters():
            p.normal_(0.2, 0.6, generator=generator)
    hidden = torch.empty(ROWS, 4, dtype=torch.float64).normal_(0.3, 1, generator=generator)
    return network, hidden


def refeed(network: Network, form: str) -> TorchRefeed:
    return TorchRefeed(network, TrainConfig(refeed=form, refeed_entries=SHOWN))


def subsets(size: int) -> list[Tensor]:
    return [torch.tensor(some) for some in combinations(range(COLUMNS), size)]


def every_sample(sampled: TorchRefeed, hidden: Tensor, *, scored: bool) -> Iterator[Fed]:
    """What is fed back for each set of columns shown and summed, or for each set scored."""
    span = (0, ROWS)
    if scored:
        shown, summed = torch.tensor([0, 3]), torch.tensor([0, 1, 2, 5])
        for some in subsets(SHOWN):
            yield sampled._output(hidden, (shown, some, summed), span)
        return
    for shown in subsets(SHOWN):
        for summed in subsets(2 * SHOWN):
            yield sampled._output(hidden, (shown, torch.tensor([1, 4]), summed), span)


def whole(dense: TorchRefeed, hidden: Tensor) -> Fed:
    return dense._output(hidden, dense._columns(), (0, ROWS))


def sums(form: TorchRefeed, fed: Fed) -> Tensor:
    table = form.network.table_in.view(COLUMNS, -1)
    return form._sums(fed, table[fed.shown], table[fed.summed])


@pytest.mark.parametrize("options", NETWORKS, ids=str)
def test_the_encoders_sums(options: dict[str, Any]) -> None:
    network, hidden = made(options)
    dense, sampled = refeed(network, "dense"), refeed(network, "sampled")
    wanted = sums(dense, whole(dense, hidden))
    tensors = torch.stack(
        [sums(sampled, fed) for fed in every_sample(sampled, hidden, scored=False)]
    )
    assert float(tensors.std(dim=0).min().detach()) > 0.01  # each differs; their mean does not
    torch.testing.assert_close(tensors.mean(dim=0), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", NETWORKS, ids=str)
def test_the_input_tables_gradient_for_a_given_gradient_by_the_sums(
    options: dict[str, Any],
) -> None:
    network, hidden = made(options)
    dense, sampled = refeed(network, "dense"), refeed(network, "sampled")
    output_gradient = torch.linspace(-1, 2, ROWS * 4, dtype=torch.float64).view(ROWS, 4)

    def gradient(form: TorchRefeed, fed: Fed) -> Tensor:
        return torch.autograd.grad((output_gradient * sums(form, fed)).sum(), network.table_in)[0]

    wanted = gradient(dense, whole(dense, hidden))
    tensors = torch.stack(
        [gradient(sampled, fed) for fed in every_sample(sampled, hidden, scored=False)]
    )
    assert float(tensors.std(dim=0).max()) > 0.1
    torch.testing.assert_close(tensors.mean(dim=0), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", NETWORKS, ids=str)
def test_the_loss_and_its_gradients_for_a_given_last_hidden_layer(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, hidden = made(options)
    last = (hidden.flip(0) * 0.7).requires_grad_()
    monkeypatch.setattr(network, "middle", lambda gathered, place: last)
    dense, sampled = refeed(network, "dense"), refeed(network, "sampled")
    by = [network.table_out, network.bias_out, last]

    def gradients(form: TorchRefeed, fed: Fed) -> list[Tensor]:
        loss = form.loss(fed)
        return [loss.detach(), *torch.autograd.grad(loss, by)]

    wanted = gradients(dense, whole(dense, hidden))
    values = [gradients(sampled, fed) for fed in every_sample(sampled, hidden, scored=True)]
    for dense_one, each in zip(wanted, zip(*values, strict=True), strict=True):
        assert float(torch.stack(each).std(dim=0).max()) > 1e-3
        mean = torch.stack(each).mean(dim=0)
        torch.testing.assert_close(mean, dense_one, rtol=1e-12, atol=1e-12)


def test_the_loss_as_a_whole_is_biased_and_less_so_with_more_columns() -> None:
    """What is said not to be unbiased is not: the hidden layers are not linear."""
    network, hidden = made(SELU)
    dense = refeed(network, "dense")
    wanted = float(dense.loss(whole(dense, hidden)).detach())
    bias = []
    for m in (1, 2, 5):
        form = TorchRefeed(network, TrainConfig(refeed="sampled", refeed_entries=m))
        drawn = [form.loss(form._output(hidden, form._columns(), (0, ROWS))) for _ in range(2000)]
        losses = np.array([float(loss.detach()) for loss in drawn])
        bias.append(losses.mean() - wanted)
        error = losses.std() / np.sqrt(len(losses))
        if m == 1:
            assert bias[0] > 5 * error
    assert bias[0] > 2 * bias[1] > 4 * bias[2]


def test_every_column_is_drawn_as_often() -> None:
    network, _ = made(SELU)
    form = refeed(network, "sampled")
    drawn = [form._columns() for _ in range(4000)]
    for position, size in enumerate((SHOWN, SHOWN, 2 * SHOWN)):
        columns = torch.cat([some[position] for some in drawn])  # type: ignore[misc]
        assert all(len(some[position].unique()) == size for some in drawn)  # type: ignore[union-attr]
        share = columns.bincount(minlength=COLUMNS) / len(drawn)
        assert float((share - size / COLUMNS).abs().max()) < 0.03
    pairs = {(tuple(a.tolist()), tuple(b.tolist())) for a, b, _ in drawn}  # type: ignore[union-attr]
    assert len(pairs) == 15 * 15  # shown and scored are independent
