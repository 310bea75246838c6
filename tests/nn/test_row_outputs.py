"""What is done to the outputs for a row, against a dense computation in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from dense import close, decoded, dense_forward, network
from test_network import fitted_inputs, some_ratings

from matinee.nn import (
    NetworkConfig,
    RowOutputs,
    encode_rows,
    predict_entries,
    row_length,
    row_scale,
)
from networks import predict_rows


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
        centred = torch.from_numpy(np.where(seen, dense - 2.0, 0))
        plain, bias = dense_forward(net, centred).numpy(), net.bias_out.numpy()
    n = seen.sum(axis=1)
    scale = np.clip(1 + slope * (np.log(20) - 1.1) * n / 20, 0.5, 1.5)  # all have fewer than 20
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
    predicted = predict_entries(net, inputs, csr, rows, indptr, np.tile(every, csr.n_rows))
    assert close(predicted.reshape(wanted.shape), wanted, 1e-6)
    vectors, added = encode_rows(net, inputs, csr, rows)
    by_vectors = decoded(net, vectors, every) + added[:, None] + 2.0
    assert close(by_vectors, wanted, 1e-6)


def test_a_row_is_scaled_by_half_to_one_and_a_half() -> None:
    lengths = np.array([-100.0, -1.0, 0.0, 1.0, 100.0])
    assert row_scale(lengths, -0.2).tolist() == [1.5, 1.2, 1.0, 0.8, 0.5]


def test_the_length_of_a_row_is_the_log_of_its_ratings_and_nothing_for_few() -> None:
    pivot = float(np.log(80))
    reported = row_length(np.array([0, 10, 20, 80, 320]), pivot)
    assert np.allclose(reported, np.log(4) * np.array([0, -0.5, -1, 0, 1]))
    scale = RowOutputs(slope=-0.2, pivot=pivot).scale(np.array([0, 20, 80]))
    assert scale.dtype == np.float32
    assert np.allclose(scale, [1, 1 + 0.2 * np.log(4), 1])


@pytest.mark.parametrize(
    "options",
    [
        {"output_activation": "elu"},
        {"tied": True},
        {"center_output": False},
        {"center": "mean"},  # the row's own mean is in the outputs
    ],
    ids=str,
)
def test_centring_has_its_conditions(options: dict[str, Any]) -> None:
    centred = {"center": "bias", "center_output": True, "hidden": (4,)}
    reported = NetworkConfig.make({**centred, **options})
    assert not reported.centers_output
    net = network(**{**centred, **options})
    assert not fitted_inputs(net, some_ratings()[0]).outputs.centred
    plain = network(**centred)
    assert fitted_inputs(plain, some_ratings()[0]).outputs.centred
