"""Further figures of an epoch, against the predictions of the trained model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from matinee.data import Ratings, split
from matinee.errors import UsageError
from matinee.models import Autoencoder
from matinee.nn import single_row_statistics
from matinee.synth import synthesize
from matinee.train import MEASURES


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    return split(synthesize(80, 50, 2500, seed=3).ratings, 0.2, seed=0)


def fitted(parts: tuple[Ratings, Ratings], **options: Any) -> Autoencoder:
    model = Autoencoder("base", hidden=[8, 6], epochs=2, batch_size=16, device="cpu", **options)
    return model.fit(parts[0], watch={"held_out": parts[1]}, measure=MEASURES)


def errors(model: Autoencoder, ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Squared errors, and the user, of each rating whose item is known."""
    users = ratings.user_ids.ids[ratings.users]
    items = ratings.item_ids.ids[ratings.items]
    known = np.isin(items, model.item_ids.ids) & np.isin(users, model.user_ids.ids)
    users, items, values = users[known], items[known], ratings.values[known]
    return np.square(model.predict(users, items) - values), users


def user_mean(squared: np.ndarray, users: np.ndarray, added: float = 0.0) -> float:
    each = [np.mean(squared[users == user]) for user in np.unique(users)]
    return float(np.mean(np.sqrt(np.array(each) + added)))


@pytest.mark.parametrize("rows", ["users", "items"])
def test_the_last_epochs_figures_are_those_of_the_model(
    parts: tuple[Ratings, Ratings], rows: str
) -> None:
    model = fitted(parts, rows=rows)
    epoch = model.epochs[-1]
    for name, ratings in (("held_out", parts[1]), ("training", parts[0])):
        squared, users = errors(model, ratings)
        result = epoch.watched[name] if name == "held_out" else epoch.measured[name]
        assert result == pytest.approx(float(np.sqrt(squared.mean())), rel=1e-5)
        assert epoch.measured[f"{name}_user_mean"] == pytest.approx(
            user_mean(squared, users), rel=1e-5
        )
    assert "penalty" not in epoch.measured
    assert not any("single_row" in name for name in epoch.measured)


def test_with_l2_the_penalty_and_the_reference_figure_with_it(
    parts: tuple[Ratings, Ratings],
) -> None:
    model = fitted(parts, l2=0.01)
    measured = model.epochs[-1].measured
    squares = sum(
        float(p.detach().double().square().sum())
        for p in model.network.parameters()
        if p.requires_grad
    )
    assert measured["penalty"] == pytest.approx(0.005 * squares, rel=1e-6)
    squared, users = errors(model, parts[0])
    assert measured["training_user_mean_penalised"] == pytest.approx(
        user_mean(squared, users, measured["penalty"]), rel=1e-5
    )


def test_single_row_statistics_are_those_of_batches_of_one(
    parts: tuple[Ratings, Ratings],
) -> None:
    model = fitted(parts, batch_norm=True)
    assert {"held_out_single_row", "training_user_mean_single_row"} <= set(
        model.epochs[-1].measured
    )
    network = model.network.eval()
    gathered = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    before = {name: array.copy() for name, array in network.arrays().items()}
    with torch.no_grad(), single_row_statistics(network):
        result = network.middle(gathered)
        # Each row normalised by itself, as TensorFlow and torch define it: (x - x) / sqrt(0 + eps).
        x = gathered + network.bias_in
        for at, norm in enumerate(network.norms):
            if at:
                x = x @ network.layer(at - 1).t() + network.biases[at - 1]
            x = torch.sigmoid((x - x) / np.sqrt(norm.eps) + norm.bias)
    torch.testing.assert_close(result, x)
    torch.testing.assert_close(result[0], result[4])  # whatever the row
    for name, array in network.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    last = model.epochs[-1]
    assert last.measured["held_out_single_row"] != last.watched["held_out"]


def test_measuring_changes_no_weight(parts: tuple[Ratings, Ratings]) -> None:
    plain = Autoencoder("base", hidden=[8, 6], epochs=2, batch_size=16, device="cpu").fit(parts[0])
    measured = fitted(parts)
    assert [e.loss for e in plain.epochs] == [e.loss for e in measured.epochs]
    assert plain.epochs[-1].measured == {}


def test_an_unknown_measure_names_the_nearest(parts: tuple[Ratings, Ratings]) -> None:
    model = Autoencoder("base", hidden=[4], epochs=1, device="cpu")
    with pytest.raises(UsageError, match="'trainin'; did you mean 'training'"):
        model.fit(parts[0], measure=["trainin"])
