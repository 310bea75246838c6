"""Outputs centred column by column once training is done, against all predictions at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from problems import ratings, settings

from matinee.data import Csr
from matinee.nn import CENTRING, Inputs, Network, make_inputs, row_biases
from matinee.train import _center as home, center_columns
from networks import predict_rows

CSR = ratings()
RATED = np.zeros((CSR.n_rows, CSR.n_columns), dtype=bool)
RATED[np.repeat(np.arange(CSR.n_rows), CSR.counts), CSR.indices] = True


def network(csr: Csr, **options: Any) -> tuple[Network, Inputs]:
    config = settings(hidden=[5], center="bias", center_output=True, **options).network
    inputs = make_inputs(config, np.linspace(1, 2, csr.n_columns).astype(np.float32))
    generator = torch.Generator().manual_seed(0)
    net = Network(config, csr.n_columns, inputs.table_rows, generator, torch.float64)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return net, inputs


@pytest.mark.parametrize("at_once", [7, 10_000])
@pytest.mark.parametrize("kind", ["ratings", "presence"])
def test_the_mean_deviation_of_a_column_is_taken_off(
    kind: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "ROWS", at_once)
    net, inputs = network(CSR, input=kind)
    predicted = predict_rows(net, inputs, CSR, np.arange(CSR.n_rows))
    deviations = predicted - inputs.offset - row_biases(inputs, CSR)[:, None]
    wanted = (deviations * RATED).sum(axis=0) / (RATED.sum(axis=0) + CENTRING)
    before = net.bias_out.detach().numpy().copy()
    center_columns(net, inputs, CSR)
    taken = before - net.bias_out.detach().numpy()
    assert np.abs(wanted[RATED.any(axis=0)]).min() > 1e-4
    assert np.allclose(taken, wanted, atol=1e-5)
    assert not taken[~RATED.any(axis=0)].any()
