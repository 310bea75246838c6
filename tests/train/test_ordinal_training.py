"""Training with ordinal outputs: the loss and RMSE of an epoch, and what validation scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from problems import LINK, divide, ratings, run, settings

from matinee.data import Csr
from matinee.errors import UsageError
from matinee.nn import predict_entries
from matinee.train import Holdout, Run, center_columns, train
from networks import predict_rows

PLAIN = {"output": "ordinal", "center": "bias", "hidden": (8,), "batch_size": 60}


def scored(state: Run, csr: Csr) -> tuple[np.ndarray, np.ndarray]:
    """Latent scores of all entries, and the probabilities of the levels."""
    rows = np.arange(csr.n_rows)
    args = state.network, state.inputs.latent, csr, rows, csr.indptr, csr.indices
    scores = predict_entries(*args)
    return scores, LINK.probabilities(scores)


def test_the_first_epoch_reports_the_loss_and_the_rmse_of_expectations() -> None:
    state = run(settings(**PLAIN, epochs=1), dtype=torch.float64)
    csr = state.known
    scores, chances = scored(state, csr)
    code = csr.values.astype(int)
    nll = -np.log(chances[np.arange(len(code)), code]).mean()
    rmse = np.sqrt(np.square(chances @ LINK.levels - csr.values).mean())
    (epoch,) = train(state)  # of one batch, so before any step
    assert epoch.loss == pytest.approx(6 / LINK.slope**2 * nll, rel=1e-5)
    assert epoch.train_rmse == pytest.approx(rmse, rel=1e-5)
    after, _ = scored(state, csr)
    assert not np.allclose(scores, after)


def test_training_raises_the_likelihood_of_the_levels() -> None:
    state = run(settings(**PLAIN, epochs=60, learning_rate=0.01))
    losses = [epoch.loss for epoch in train(state)]
    assert losses[-1] < 0.8 * losses[0]


def test_predictions_are_expectations_of_the_latent_scores() -> None:
    known, out = divide(ratings(), 0.2, np.random.default_rng(3))
    state = run(settings(**PLAIN, epochs=2), csr=known, valid=out)
    (*_, last) = train(state)
    held = Holdout.of(out)
    predicted = held.predict(state.network, state.inputs, known)
    latent = held.predict(state.network, state.inputs.latent, known)
    assert np.allclose(predicted, LINK.probabilities(latent) @ LINK.levels)
    assert last.valid_rmse == pytest.approx(np.sqrt(np.square(predicted - out.values).mean()))
    rows = predict_rows(state.network, state.inputs, known, held.rows)
    at = np.repeat(np.arange(len(held.rows)), np.diff(held.indptr))
    assert np.allclose(rows[at, held.columns], predicted, atol=1e-5)


def test_columns_are_centred_by_latent_scores() -> None:
    state = run(settings(**PLAIN, epochs=3))
    list(train(state))
    before = state.network.bias_out.detach().numpy().copy()
    latent = replace(state.inputs, link=None)
    center_columns(state.network, latent, state.known)
    wanted = state.network.bias_out.detach().numpy().copy()
    state.network.bias_out.data[:] = torch.from_numpy(before)
    center_columns(state.network, state.inputs, state.known)
    assert np.array_equal(state.network.bias_out.detach().numpy(), wanted)
    assert not np.array_equal(wanted, before)


def test_combinations_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="needs output_activation = 'linear'"):
        settings(output="ordinal", output_activation="sigmoid")
    for refeed in ("dense", "sampled"):
        with pytest.raises(UsageError, match="with output = 'ordinal' set it off"):
            settings(output="ordinal", refeed=refeed)
