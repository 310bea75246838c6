"""What is done to the outputs for a row, against a dense computation in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from dense import close, dense_forward, network
from test_network import fitted_inputs, some_ratings

from matinee.nn import (
    NetworkConfig,
    RowOutputs,
    decode_vectors,
    encode_rows,
    predict_entries,
    predict_rows,
    row_scale,
)


@pytest.mark.parametrize("slope", [0.0, -0.3, 0.4])
@pytest.mark.parametrize("reg", [-1.0, 0.0, 4.0])
def test_outputs_are_scaled_and_centred(reg: float, slope: float) -> None:
    csr, dense = some_ratings()
    net = network(hidden=(5,))
    net.eval()
    outputs = RowOutputs(reg, slope, 1.1)
    inputs = replace(fitted_inputs(net, csr, 2.0), outputs=outputs)
    seen = np.zeros(dense.shape, dtype=bool)
    seen[np.repeat(np.arange(csr.n_rows), csr.counts), csr.indices] = True
    with torch.no_grad():
        given = torch.from_numpy(np.where(seen, dense - 2.0, 0))
        plain, bias = dense_forward(net, given).numpy(), net.bias_out.numpy()
    n = seen.sum(axis=1)
    scale = np.clip(1 + slope * (np.log(np.maximum(n, 1)) - 1.1), 0.5, 1.5)
    wanted = scale.astype(np.float32)[:, None] * (plain - bias) + bias
    if reg >= 0:
        mean = (wanted * seen).sum(axis=1) / np.maximum(n + reg, 1e-12)
        assert mean[3] == 0  # nothing rated, nothing taken off
        wanted = wanted - mean[:, None]
    wanted = wanted + 2.0
    rows = np.arange(csr.n_rows)
    assert close(predict_rows(net, inputs, csr, rows), wanted, 1e-6)
    indptr = np.arange(csr.n_rows + 1) * csr.n_columns
    every = np.arange(csr.n_columns, dtype=np.int32)
    told = predict_entries(net, inputs, csr, rows, indptr, np.tile(every, csr.n_rows))
    assert close(told.reshape(wanted.shape), wanted, 1e-6)
    vectors, added = encode_rows(net, inputs, csr, rows)
    by_vectors = decode_vectors(net, vectors, every) + added[:, None] + 2.0
    assert close(by_vectors, wanted, 1e-6)


def test_a_row_is_scaled_by_half_to_one_and_a_half() -> None:
    logs = np.array([-100.0, -1.0, 0.0, 1.0, 100.0])
    assert row_scale(logs, -0.2).tolist() == [1.5, 1.2, 1.0, 0.8, 0.5]
    assert RowOutputs(slope=0.1, pivot=0.0).scale(np.array([0, 1])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "options",
    [{"output_activation": "elu"}, {"tied": True}, {"center_output": False}],
    ids=str,
)
def test_centring_has_its_conditions(options: dict[str, Any]) -> None:
    told = NetworkConfig.make({"center_output": True, "hidden": [4], **options})
    assert not told.centers_output
    net = network(**{"center_output": True, "hidden": (4,), **options})
    assert not fitted_inputs(net, some_ratings()[0]).outputs.centred
    plain = network(center_output=True, hidden=(4,))
    assert fitted_inputs(plain, some_ratings()[0]).outputs.centred
