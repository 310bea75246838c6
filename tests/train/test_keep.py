"""Which epoch's weights are kept, and the shrinkage of the network's deviations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from problems import divide, ratings, run, settings
from test_loop import OVERFITS, split, weights

from matinee.data import Csr
from matinee.models import Autoencoder
from matinee.train import Holdout, Run, shrink_to_bias, train
from matinee.train._loop import _keep
from matinee.train._shrink import PRIOR_SLOPE, PRIOR_STD
from networks import predict_rows


def finished(**options: Any) -> tuple[Run, dict[str, np.ndarray], list[float]]:
    """A run with a validation part, its last epoch's weights, and its validation RMSEs."""
    kept, out = split()
    state = run(settings(**{**OVERFITS, **options}), csr=kept, valid=out)
    last, scores = {}, []
    for epoch in train(state):
        assert epoch.valid_rmse is not None
        last = weights(state)
        scores.append(epoch.valid_rmse)
    return state, last, scores


def test_a_last_epoch_as_good_as_the_best_is_kept() -> None:
    """Early on in this run RMSE falls and then wavers by far less than a standard error."""
    options = {"epochs": 12, "keep": "settled"}
    state, last, scores = finished(**options)
    assert np.argmin(scores) < 11
    assert state.best_epoch == 12
    assert all(np.array_equal(last[name], array) for name, array in weights(state).items())
    best, _, same = finished(**{**options, "keep": "best"})
    assert same == scores
    assert best.best_epoch == 1 + int(np.argmin(scores))


def test_a_last_epoch_clearly_worse_than_the_best_is_not() -> None:
    kept, out = split()
    state = run(settings(**OVERFITS, keep="settled"), csr=kept, valid=out)
    scores, last = [], {}
    for epoch in train(state):
        assert epoch.valid_rmse is not None
        scores.append(epoch.valid_rmse)
        if state.done:  # nothing but the weights of the last epoch is left to choose
            last = {**weights(state), "table_out": 5.0 * weights(state)["table_out"]}
            state.network.load_arrays(last)
    assert state.best_epoch == 1 + int(np.argmin(scores))
    assert any((last[name] != array).any() for name, array in weights(state).items())
    assert state.valid is not None
    assert state.valid.rmse(state.network, state.inputs, state.known) == min(scores)


def overfitted(scale: float, csr: Csr, **options: Any) -> Run:
    """A network trained on some ratings, its deviations from the bias model then scaled."""
    chosen = settings(center="bias", epochs=6, learning_rate=0.01, hidden=[16], **options)
    state = run(chosen, csr=csr)
    list(train(state))
    table = weights(state)["table_out"] * scale
    state.network.load_arrays({**weights(state), "table_out": table})
    return state


def even(csr: Csr, length: int = 8) -> Csr:
    """The first ratings of each row that has as many."""
    rank = np.arange(len(csr.values)) - np.repeat(csr.indptr[:-1], csr.counts)
    kept = (rank < length) & (np.repeat(csr.counts, csr.counts) >= length)
    ptr = np.append(0, np.cumsum(kept))[csr.indptr]
    return Csr(ptr, csr.indices[kept], csr.values[kept], None, csr.n_columns)


@pytest.mark.parametrize(("scale", "most"), [(0.05, 1.0), (3.0, 0.99), (30.0, 0.2)])
def test_the_share_is_that_of_least_squares(scale: float, most: float) -> None:
    kept = even(ratings())  # rows of one length, so that nothing hangs on the length
    state = overfitted(scale, kept)
    net, inputs, rows = state.network, state.inputs, np.arange(kept.n_rows)
    held = Holdout.of(kept)  # what it was trained on: there its deviations are right in sign
    batch = inputs.batch(kept.indptr, kept.indices, kept.values, rows)
    base = inputs.offset + batch.row_bias[:, None]
    before = predict_rows(net, inputs, kept, rows) - base
    row = np.repeat(rows, kept.counts)
    x, y = before[row, kept.indices].astype(float), kept.values - base[row, kept.indices]
    wanted = (x @ y) / (x @ x)
    noise = np.mean((y - min(wanted, 1) * x) ** 2)
    wanted = np.clip(wanted * (1 - 4 * noise / (x @ x) / wanted**2), 0, 1)  # less what chance makes
    score = held.rmse(net, inputs, kept)
    share, inputs = shrink_to_bias(net, inputs, kept, held)
    assert share == pytest.approx(wanted, rel=1e-4)
    rows = np.flatnonzero(kept.counts)
    predicted = predict_rows(net, inputs, kept, rows) - base[rows]
    assert np.allclose(predicted, share * before[rows], atol=1e-4)
    assert held.rmse(net, inputs, kept) <= score + 1e-9
    assert 0 < share <= most
    assert (most == 1) == (share == 1)


def uneven() -> Csr:
    """Rows of 20 to 79 ratings."""
    csr = ratings(columns=200, share=0.55)
    rank = np.arange(len(csr.values)) - np.repeat(csr.indptr[:-1], csr.counts)
    kept = rank < np.repeat(20 + np.arange(csr.n_rows), csr.counts)
    ptr = np.append(0, np.cumsum(kept))[csr.indptr]
    return Csr(ptr, csr.indices[kept], csr.values[kept], None, csr.n_columns)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("slope", [-0.3, 0.2])
def test_a_slope_by_the_length_of_rows_is_found_and_used(slope: float, centred: bool) -> None:
    kept = uneven()
    state = overfitted(1.0, kept, center_output=centred)
    net, inputs = state.network, state.inputs
    held = Holdout.of(replace(kept, values=kept.values.copy()))
    deviations = held.deviations(net, inputs, kept, held.bias_predictions(inputs, kept))
    fit = deviations.fit()
    # Ratings exactly as a network of that share and slope would have them.
    held.values[:] = deviations.shrunk(replace(fit, coefficient=0.8, slope=slope))
    before = held.rmse(net, inputs, kept)
    share, inputs = shrink_to_bias(net, inputs, kept, held)
    assert share == pytest.approx(0.8, abs=0.02)
    assert inputs.outputs.slope == pytest.approx(slope, abs=0.02)
    # With the fitted outputs the network predicts as the fit expects.
    assert held.rmse(net, inputs, kept) < 0.1 * before


def test_few_ratings_do_not_determine_a_slope() -> None:
    kept = ratings()
    _, few = divide(kept, 0.05, np.random.default_rng(5))
    state = overfitted(1.0, kept)
    share, inputs = shrink_to_bias(state.network, state.inputs, kept, Holdout.of(few))
    assert share > 0
    assert abs(inputs.outputs.slope - PRIOR_SLOPE) < PRIOR_STD


def test_an_untrained_network_gets_a_shrinkage_of_zero() -> None:
    kept, out = divide(ratings(), 0.3, np.random.default_rng(3))
    against = Holdout.of(out)
    state = run(settings(center="bias", hidden=[8], init="normal", init_scale=0.5), csr=kept)
    guess = predict_rows(state.network, state.inputs, kept, np.arange(60))
    row = np.repeat(np.arange(60), out.counts)
    batch = state.inputs.batch(kept.indptr, kept.indices, kept.values, np.arange(60))
    base = state.inputs.offset + batch.row_bias[:, None]
    # Held-out ratings on the other side of the base from where the network points.
    against.values[:] = (2 * base - guess)[row, out.indices]
    share, inputs = shrink_to_bias(state.network, state.inputs, kept, against)
    assert share == 0
    predicted = predict_rows(state.network, inputs, kept, np.arange(60))
    assert np.allclose(predicted, base, atol=1e-6)


def test_shrinking_has_its_conditions() -> None:
    assert settings(center="bias", shrink=True).network.shrinks
    for options in ({"center": "mean"}, {"output_activation": "elu"}, {"tied": True}):
        chosen = settings(**{"center": "bias", "shrink": True, **options})
        assert chosen.network.shrink
        assert not chosen.network.shrinks
    # The default preset shrinks; a change that leaves nothing to shrink towards is no error.
    assert not Autoencoder("default", center="mean").settings.network.shrinks


@pytest.mark.parametrize(("errors", "kept"), [(2.5, 2), (3.5, 1)])
def test_the_last_epoch_is_settled_within_three_standard_errors(
    errors: float, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two epochs, the second worse than the first by so many standard errors of the difference."""
    state = run(settings(epochs=2, keep="settled"), csr=split()[0], valid=split()[1])
    list(train(state))
    noise = np.resize([-1.0, 1.0], 10_000)  # a standard deviation of 1
    last = weights(state)
    state.best = {name: array + 1.0 for name, array in last.items()}
    state.best_epoch = 1

    def squared_errors(held: Any, network: Any, *_: Any) -> np.ndarray:
        is_last = np.array_equal(network.arrays()["table_out"], last["table_out"])
        return (noise + errors / 100.0) if is_last else np.zeros(len(noise))

    monkeypatch.setattr(Holdout, "squared_errors", squared_errors)
    _keep(state)
    assert state.best_epoch == kept


def test_long_rows_are_shrunk_more_where_little_is_held_out() -> None:
    """The prior of the slope: with few held-out ratings it is about -0.12, not 0.12."""
    kept = ratings()
    _, few = divide(kept, 0.05, np.random.default_rng(5))
    state = overfitted(1.0, kept)
    _, inputs = shrink_to_bias(state.network, state.inputs, kept, Holdout.of(few))
    assert -0.22 < inputs.outputs.slope < -0.02
