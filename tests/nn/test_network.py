"""The network: its parameters, its init, and that it computes what a dense one does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dense import ACTIVATIONS, close, decoded, dense_forward, network

from matinee.data import group
from matinee.errors import UsageError
from matinee.nn import (
    Inputs,
    Network,
    NetworkConfig,
    encode_rows,
    make_inputs,
    predict_entries,
    row_biases,
)
from networks import predict_rows

SHAPES = [
    {"hidden": (5,)},
    {"hidden": (5,), "tied": True},
    {"hidden": (6, 3)},
    {"hidden": (6, 6), "tied": True},
    {"hidden": (6, 4, 5)},
    {"hidden": (6, 4, 6), "tied": True},
    {"hidden": (7, 5, 3, 5, 7), "tied": True, "batch_norm": True},
    {"hidden": (4, 3), "batch_norm": True},
    {"hidden": (6, 4, 5), "output_bias": False},
]


def some_ratings(rows: int = 12, columns: int = 9) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(4)
    seen = rng.random((rows, columns)) < 0.4
    seen[3] = False  # a row with nothing known
    values = np.where(seen, rng.integers(-1, 6, seen.shape), 0)
    row, column = np.nonzero(seen)
    csr = group(
        row.astype(np.int32),
        column.astype(np.int32),
        values[row, column].astype(np.float32),
        rows,
        columns,
    )
    return csr, values.astype(np.float64)


def fitted_inputs(net: Network, csr: Any, offset: float = 0.0) -> Inputs:
    return make_inputs(net.config, np.full(csr.n_columns, offset, dtype=np.float32))


@pytest.mark.parametrize("output", ["linear", "sigmoid", "elu"])
@pytest.mark.parametrize("activation", ["sigmoid", "selu", "silu"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_predictions_are_the_dense_networks(
    shape: dict[str, Any], activation: str, output: str
) -> None:
    csr, dense = some_ratings()
    net = network(7, activation=activation, output_activation=output, **shape)
    if net.config.batch_norm:  # running statistics that are not the trivial ones
        net.train()
        net.middle(torch.randn(6, net.config.hidden[0], dtype=torch.float64))
    net.eval()
    with torch.no_grad():
        wanted = dense_forward(net, torch.from_numpy(dense))
    inputs = fitted_inputs(net, csr)
    rows = np.arange(csr.n_rows)
    assert close(predict_rows(net, inputs, csr, rows), wanted, 1e-10)
    # Entries of some rows, in another order, some rows asked nothing.
    asked = np.array([5, 0, 3, 11])
    indptr, columns = np.array([0, 3, 3, 4, 6]), np.array([8, 0, 8, 4, 2, 2], dtype=np.int32)
    predicted = predict_entries(net, inputs, csr, asked, indptr, columns)
    assert predicted.dtype == np.float64
    assert close(predicted, wanted[asked.repeat(np.diff(indptr)), columns], 1e-10)
    # By way of the rows' vectors.
    vectors, added = encode_rows(net, inputs, csr, rows)
    assert vectors.shape == (csr.n_rows, net.config.hidden[-1])
    assert not added.any()
    assert close(decoded(net, vectors, columns), wanted[:, columns], 1e-10)
    assert not net.training


def test_offsets_and_row_biases_come_back_in_predictions() -> None:
    csr, dense = some_ratings()
    net = network(center="bias")
    offset = np.linspace(-1, 3, csr.n_columns).astype(np.float32)
    inputs = make_inputs(net.config, offset, row_reg=2.0)
    seen = np.zeros(dense.shape, dtype=bool)
    seen[np.repeat(np.arange(csr.n_rows), csr.counts), csr.indices] = True
    left = np.where(seen, dense - offset, 0)
    row_bias = left.sum(1) / (seen.sum(1) + 2.0)
    assert close(row_biases(inputs, csr), row_bias, 1e-6)
    assert row_bias[3] == 0
    with torch.no_grad():
        centred = torch.from_numpy(np.where(seen, left - row_bias[:, None], 0))
        wanted = dense_forward(net.eval(), centred).numpy() + offset + row_bias[:, None]
    rows = np.arange(csr.n_rows)
    assert close(predict_rows(net, inputs, csr, rows), wanted, 1e-6)
    indptr = np.arange(csr.n_rows + 1) * csr.n_columns
    columns = np.tile(np.arange(csr.n_columns, dtype=np.int32), csr.n_rows)
    predicted = predict_entries(net, inputs, csr, rows, indptr, columns)
    assert close(predicted.reshape(wanted.shape), wanted, 1e-6)


def test_more_rows_than_are_encoded_at_once() -> None:
    csr, _ = some_ratings(rows=1024 * 2 + 300)
    net = network()
    inputs = fitted_inputs(net, csr, 2.5)
    rows = np.random.default_rng(0).permutation(csr.n_rows).astype(np.int64)
    predicted = predict_entries(
        net,
        inputs,
        csr,
        rows,
        np.arange(csr.n_rows + 1),
        np.full(csr.n_rows, 6, dtype=np.int32),
    )
    every = predict_rows(net, inputs, csr, np.arange(csr.n_rows))
    assert close(predicted, every[rows, 6], 1e-12)
    nothing = predict_entries(
        net, inputs, csr, rows, np.zeros(csr.n_rows + 1, dtype=np.int64), rows[:0].astype(np.int32)
    )
    assert nothing.shape == (0,)


def test_dropout_and_running_statistics_rest_at_prediction() -> None:
    csr, _ = some_ratings()
    net = network(hidden=(6, 6), code_dropout=0.5, input_dropout=0.5, batch_norm=True)
    before = {name: array.copy() for name, array in net.arrays().items()}
    net.train()
    inputs, rows = fitted_inputs(net, csr), np.arange(csr.n_rows)
    one, two = (predict_rows(net, inputs, csr, rows) for _ in range(2))
    assert np.array_equal(one, two)
    assert all(np.array_equal(array, before[name]) for name, array in net.arrays().items())


def test_dropout_keeps_its_share_and_the_mean() -> None:
    net = network(hidden=(5,), code_dropout=0.25, activation="linear")
    keep = net.dropout_mask(torch.zeros(400, 500, dtype=torch.float64))
    assert keep is not None
    assert keep.unique().tolist() == [0, 1 / 0.75]
    assert (keep > 0).double().mean() == pytest.approx(0.75, abs=0.01)
    assert network(hidden=(5,)).dropout_mask(torch.zeros(2, 2)) is None
    net.train()
    x = torch.ones(4000, 5, dtype=torch.float64)
    with torch.no_grad():
        assert close(net.middle(x).mean(0).numpy(), net.eval().middle(x)[0], 0.05)


def test_dropout_is_on_the_code_only() -> None:
    """With 5 hidden layers only the third is dropped: zeros in it, and it alone."""
    net = network(hidden=(6, 5, 4, 5, 6), code_dropout=0.999, activation="tanh").train()
    x = torch.ones(3, 6, dtype=torch.float64)
    with torch.no_grad():
        out = net.middle(x)
        # The code gone, what is after it sees its biases alone.
        later = torch.tanh(net.biases[2])
        for index in (3,):
            later = torch.tanh(net.layer(index) @ later + net.biases[index])
        assert close(out.numpy(), later.expand(3, 6), 1e-12)


@pytest.mark.parametrize(("init", "std"), [("normal", 0.05), ("xavier", np.sqrt(2 / (2000 + 120)))])
def test_initial_weights(init: str, std: float) -> None:
    config = NetworkConfig.make({"init": init, "hidden": [120, 120]})
    net = Network(config, 2000, 2000, torch.Generator().manual_seed(0))
    for table in (net.table_in.detach(), net.table_out.detach()):
        assert float(table.std()) == pytest.approx(std, rel=0.01)
        assert float(table.mean()) == pytest.approx(0, abs=3 * std / np.sqrt(table.numel()))
        uniform = float(table.abs().max()) < 1.001 * std * np.sqrt(3)
        assert uniform == (init == "xavier")
    assert float(net.weights[0].detach().std()) == pytest.approx(
        std if init == "normal" else np.sqrt(2 / 240), rel=0.03
    )
    for bias in (net.bias_in, net.bias_out, *net.biases):
        assert not bias.any()


def test_init_scale_is_a_choice_and_the_seed_decides() -> None:
    config = NetworkConfig.make({"init": "normal", "init_scale": 0.3, "hidden": 50})
    one, two, other = (
        Network(config, 400, 400, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert float(one.table_in.detach().std()) == pytest.approx(0.3, rel=0.02)
    assert torch.equal(one.table_out, two.table_out)
    assert not torch.equal(one.table_out, other.table_out)
    assert not torch.equal(one.table_out, one.table_in)


def test_the_number_of_parameters() -> None:
    def count(**options: Any) -> int:
        return sum(p.numel() for p in network(columns=20, **options).parameters())

    assert count(hidden=(8, 3, 8)) == 2 * 20 * 8 + 2 * 8 * 3 + 8 + 3 + 8 + 20
    assert count(hidden=(8, 3, 8), tied=True) == 20 * 8 + 8 * 3 + 8 + 3 + 8 + 20
    assert count(hidden=(8,), batch_norm=True) == 2 * 20 * 8 + 8 + 20 + 16
    assert not network(output_bias=False).bias_out.requires_grad


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arrays_there_and_back(shape: dict[str, Any]) -> None:
    one, two = network(1, double=False, **shape), network(2, double=False, **shape)
    assert ("table_out" in one.arrays()) != bool(shape.get("tied"))
    two.load_arrays({name: array.copy() for name, array in one.arrays().items()})
    assert all(np.array_equal(a, one.arrays()[n]) for n, a in two.arrays().items())
    csr, _ = some_ratings()
    predicted = [predict_rows(n, fitted_inputs(n, csr), csr, np.arange(12)) for n in (one, two)]
    assert np.array_equal(*predicted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": []}, "at least one hidden layer"),
        ({"hidden": [8, 0]}, "at least 1 wide"),
        ({"hidden": [8, 4], "tied": True}, "read the same backwards"),
        ({"hidden": [8], "tied": True, "input": "presence"}, "needs input = 'ratings'"),
        ({"activation": "softmax"}, "activation = 'softmax'"),
        ({"output_activation": "softmax"}, "output_activation = 'softmax'"),
        ({"input_dropout": 1.0}, "input_dropout = 1.0"),
        ({"code_dropout": -0.1}, "code_dropout = -0.1"),
        ({"init_scale": 0}, "init_scale = 0"),
        ({"center": "median"}, "center = 'median'"),
        ({"rows": "films"}, "rows = 'films'"),
        ({"hiden": [8]}, "unknown key 'hiden'; did you mean 'hidden'"),
    ],
)
def test_options_that_make_no_network(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        NetworkConfig.make(options)


def test_one_width_is_one_layer() -> None:
    assert NetworkConfig.make({"hidden": 64}).hidden == (64,)
    assert [NetworkConfig.make({"hidden": [4] * n}).code_layer for n in range(1, 6)] == [
        0,
        0,
        1,
        1,
        2,
    ]
    assert set(ACTIVATIONS) == set(NetworkConfig.model_fields["activation"].annotation.__args__)  # type: ignore[union-attr]
