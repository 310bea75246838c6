from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from matinee.data import Csr
from matinee.errors import TrainingError, UsageError
from matinee.nn.activations import ACTIVATIONS
from matinee.train.lists import (
    ListEpoch,
    ListNetworkConfig,
    ListNetworkWeights,
    fit_list_network,
)

MULTINOMIAL: dict[str, Any] = {"loss": "multinomial", "residual": False}
KINDS: dict[str, dict[str, Any]] = {
    "square": {"hidden": (12, 12)},
    "one layer": {"hidden": (12,), "code_dropout": 0.2},
    "all of it": {"hidden": (12, 8), "objective": "reconstruct", "residual": False},
    "mult-dae": {**MULTINOMIAL, "hidden": (12,), "objective": "reconstruct", "l2": 1e-4},
    "mult-vae": {
        **MULTINOMIAL,
        "hidden": (16, 8, 16),
        "objective": "reconstruct",
        "variational": True,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
    },
}


def groups(people: int = 120, items: int = 30) -> Csr:
    """People of three tastes: each picks 6 items of a third of the catalogue."""
    rng = np.random.default_rng(0)
    third = items // 3
    rows = [np.sort(rng.choice(third, 6, replace=False)) + third * (p % 3) for p in range(people)]
    indices = np.concatenate(rows).astype(np.int32)
    indptr = np.arange(people + 1, dtype=np.int64) * 6
    return Csr(indptr, indices, np.ones(len(indices), np.float32), None, items)


def history(*items: int, of: int = 30) -> Csr:
    indptr = np.array([0, len(items)], dtype=np.int64)
    return Csr(indptr, np.array(items, np.int32), np.ones(len(items), np.float32), None, of)


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_goes_with_what(kind: str) -> None:
    config = ListNetworkConfig.make({"epochs": 40, "learning_rate": 2e-2, **KINDS[kind]})
    losses: list[float] = []
    run = fit_list_network(
        groups(), config, np.random.default_rng(1), on_epoch=lambda e: losses.append(e.loss)
    )
    assert len(losses) == 40
    if not config.variational:  # whose loss also rises with beta
        assert losses[-1] < losses[0]
    scores = run.weights.scores(history(10, 12, 15))[0]
    assert scores.dtype == np.float32
    assert scores[10:20].mean() > np.delete(scores, np.arange(10, 20)).max()


def test_a_seed_gives_the_same_weights() -> None:
    config = ListNetworkConfig.make({"epochs": 2, "hidden": (8,)})
    one, two, other = (
        fit_list_network(groups(), config, np.random.default_rng(seed)).weights.arrays
        for seed in (3, 3, 4)
    )
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["table"], other["table"])


def test_the_best_epoch_is_kept_and_can_be_found_again() -> None:
    config = ListNetworkConfig.make({"epochs": 6, "hidden": (8,), "choose_epoch": True})
    config = config.replace({"score_every": 2})
    draws = iter([0.1, 0.3, 0.2])
    epochs: list[ListEpoch] = []

    def score(weights: ListNetworkWeights) -> float:
        return next(draws)

    run = fit_list_network(
        groups(), config, np.random.default_rng(0), score=score, on_epoch=epochs.append
    )
    assert run.epoch == 4
    assert [e.score for e in epochs] == [None, 0.1, None, 0.3, None, 0.2]
    again = fit_list_network(groups(), config, np.random.default_rng(0), last=4)
    assert np.array_equal(again.weights.arrays["output"], run.weights.arrays["output"])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_inference_is_the_network_that_was_trained(name: str) -> None:
    """Trained with torch's activation, scored with NumPy's: the loss is the same."""
    config = ListNetworkConfig.make(
        {"epochs": 1, "hidden": (6, 6, 4), "activation": name, "batch_size": 120}
    )
    config = config.replace({"shown": (1.0, 1.0), "user_power": 0.0, "given_weight": 1.0})
    first: list[float] = []
    rows = groups()
    # No step yet: the loss of the first batch is that of the initial weights.
    tiny = config.replace({"learning_rate": 1e-12})
    run = fit_list_network(
        rows, tiny, np.random.default_rng(0), on_epoch=lambda e: first.append(e.loss)
    )
    x = sparse.csr_matrix((rows.values, rows.indices, rows.indptr), (rows.n_rows, 30))
    scores, seen = run.weights.scores(rows).astype(np.float64), x.toarray()
    weights = np.where(seen > 0, 1.0, config.zero_weight)
    assert first[0] == pytest.approx((weights * (scores - seen) ** 2).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("loss", ["square", "multinomial"])
def test_weights_weigh_the_loss_and_not_the_input(loss: str) -> None:
    values = {"epochs": 1, "hidden": (6,), "batch_size": 120, "loss": loss, "user_power": 0.0}
    config = ListNetworkConfig.make({**values, "objective": "reconstruct", "shown": (1.0, 1.0)})
    config = config.replace({"learning_rate": 1e-12})
    first: list[float] = []
    rows = groups()
    each = np.random.default_rng(4).exponential(1.0, len(rows.indices)).astype(np.float32)
    run = fit_list_network(
        replace(rows, weights=each),
        config,
        np.random.default_rng(0),
        on_epoch=lambda e: first.append(e.loss),
    )
    weights = sparse.csr_matrix((each, rows.indices, rows.indptr), (rows.n_rows, 30)).toarray()
    scores = run.weights.scores(rows).astype(np.float64)
    if loss == "square":
        counts = np.where(weights > 0, weights, config.zero_weight)
        wanted = counts * (scores - (weights > 0)) ** 2
    else:
        wanted = weights * (np.log(np.exp(scores).sum(axis=1, keepdims=True)) - scores)
    assert first[0] == pytest.approx(wanted.sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_one_change_no_bit(kind: str) -> None:
    config = ListNetworkConfig.make({"epochs": 2, **KINDS[kind]})
    rows = groups()
    ones = replace(rows, weights=np.ones(len(rows.indices), np.float32))
    plain, same = (
        fit_list_network(each, config, np.random.default_rng(0)).weights.arrays
        for each in (rows, ones)
    )
    assert all(np.array_equal(plain[name], same[name]) for name in plain)


def test_people_with_nothing_are_left_out() -> None:
    rows = groups()
    more = Csr(np.append(rows.indptr, rows.indptr[-1]), rows.indices, rows.values, None, 30)
    config = ListNetworkConfig.make({"epochs": 2, "hidden": (8,)})
    run = fit_list_network(more, config, np.random.default_rng(0))
    assert np.isfinite(run.weights.scores(history(1))).all()
    empty = Csr(np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), None, 5)
    with pytest.raises(TrainingError, match="there are none"):
        fit_list_network(empty, config, np.random.default_rng(0))


def test_divergence_is_named() -> None:
    config = ListNetworkConfig.make(
        {"epochs": 8, "hidden": (8,), "learning_rate": 1e30, "weight_decay": 0.0}
    )
    config = config.replace({"activation": "linear", "schedule": "constant"})
    with pytest.raises(TrainingError, match=r"epoch \d; lower its learning_rate, which is 1e\+30"):
        fit_list_network(groups(), config, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"loss": "multinomial", "zero_weight": 0.1}, "zero_weight has no effect"),
        ({"objective": "reconstruct", "given_weight": 0.1}, "given_weight has no effect"),
        ({"beta": 0.1}, "beta has no effect without a variational"),
        ({"beta_rise": 0.1}, "beta_rise has no effect"),
        ({"score_every": 2}, "score_every has no effect without choose_epoch"),
        ({"variational": True}, "needs 3, 5"),
        ({"shown": [0.0, 0.5]}, "shown must be"),
        ({"hidden": []}, "at least one layer"),
        ({"learning_rate": 1.0, "weight_decay": 1.0}, "must be below 1"),
        ({"activation": "tahn"}, "activation"),
    ],
)
def test_options_that_mean_nothing_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ListNetworkConfig.make(values)


@pytest.mark.parametrize(("people", "size"), [(4, 16), (600, 64), (4228, 512), (29858, 2048)])
def test_batches_by_the_number_of_people(people: int, size: int) -> None:
    config = ListNetworkConfig()
    assert config.people_per_step(people) == size
    assert math.ceil(people / size) <= 15
    assert config.replace({"batch_size": 7}).people_per_step(people) == 7
