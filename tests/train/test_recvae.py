from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from matinee.data import Csr
from matinee.errors import TrainingError, UsageError
from matinee.train.lists import ListEpoch, RecVaeConfig, RecVaeWeights, fit_recvae
from matinee.train.lists.recvae import _Network

SMALL = {"hidden": 8, "latent": 4, "batch_size": 40, "learning_rate": 2e-2, "rounds": 8}


def groups(people: int = 90, items: int = 30) -> Csr:
    """People of three tastes: each picks 4 to 6 items of a third of the catalogue."""
    rng, third = np.random.default_rng(0), items // 3
    rows = [
        np.sort(rng.choice(third, 4 + p % 3, replace=False)) + third * (p % 3)
        for p in range(people)
    ]
    indices = np.concatenate(rows).astype(np.int32)
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Csr(indptr, indices, np.ones(len(indices), np.float32), None, items)


def dense(rows: Csr) -> torch.Tensor:
    expected = torch.zeros((rows.n_rows, rows.n_columns), dtype=torch.float64)
    where = np.repeat(np.arange(rows.n_rows), rows.counts), rows.indices
    expected[where] = torch.from_numpy(rows.entry_weights).double()
    return expected


def reference(p: dict[str, torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The encoder as the authors' code has it; its input has no weights."""
    x = (x > 0).double()
    x = x / x.pow(2).sum(dim=-1).sqrt()[:, None]
    layers: list[torch.Tensor] = []
    for at in range(5):
        inner = (layers[-1] if layers else x) @ p[f"weight.{at}"] + p[f"bias.{at}"]
        for layer in layers:
            inner = inner + layer
        inner = inner * torch.sigmoid(inner)
        shape = (inner.shape[1],)
        layers.append(
            functional.layer_norm(inner, shape, p[f"gain.{at}"], p[f"shift.{at}"], eps=0.1)
        )
    last = layers[-1]
    return last @ p["mean"] + p["mean_bias"], last @ p["log_variance"] + p["log_variance_bias"]


def log_normal(x: torch.Tensor, mean: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Normal(mean, (0.5 * log_var).exp()).log_prob(x)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_and_its_gradients_are_the_authors(weighted: bool) -> None:
    rows = groups(12)
    if weighted:
        each = np.random.default_rng(1).uniform(0.5, 1.5, len(rows.indices))
        rows = replace(rows, weights=each.astype(np.float32))
    config = RecVaeConfig.make({**SMALL, "gamma": 0.05})
    network = _Network(rows, config, np.random.default_rng(3))
    state = network.rng.bit_generator.state
    everybody = np.arange(rows.n_rows)
    loss = network.loss(everybody, 0.0)
    loss.backward()  # type: ignore[no-untyped-call]
    network.rng.bit_generator.state = state
    p = {n: t.detach().double().requires_grad_() for n, t in network.parameters.items()}
    before = {n: t.double() for n, t in network.before.items()}
    x = dense(rows)
    mean, log_var = reference(p, x)
    noise = torch.from_numpy(network.rng.standard_normal(mean.shape, dtype=np.float32)).double()
    z = mean + noise * (0.5 * log_var).exp()
    zero = torch.zeros(1, dtype=torch.float64)
    parts = [
        log_normal(z, zero, zero) + np.log(3 / 20),
        log_normal(z, *reference(before, x)) + np.log(3 / 4),
        log_normal(z, zero, zero + 10.0) + np.log(1 / 10),
    ]
    prior = torch.logsumexp(torch.stack(parts, dim=-1), dim=-1)
    divergence = (log_normal(z, mean, log_var) - prior).sum(-1) * 0.05 * x.sum(-1)
    likelihood = functional.log_softmax(z @ p["output"].T + p["output_bias"], dim=-1) * x
    expected = divergence.mean() - likelihood.sum(-1).mean()
    expected.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for name, each in network.parameters.items():
        assert each.grad is not None
        assert p[name].grad is not None
        torch.testing.assert_close(each.grad.double(), p[name].grad, rtol=1e-3, atol=1e-5)


def test_encoder_and_decoder_are_trained_in_turn() -> None:
    network = _Network(groups(), RecVaeConfig.make(SMALL), np.random.default_rng(0))
    people = np.arange(90)
    decoder = ("output", "output_bias")
    for encoder in (True, False):
        before = {name: each.detach().clone() for name, each in network.parameters.items()}
        network.passed(people, encoder=encoder)
        for name, each in network.parameters.items():
            assert torch.equal(before[name], each) == ((name in decoder) == encoder), name


def test_it_learns_what_goes_with_what_and_scores_as_torch_does() -> None:
    rows, epochs = groups(), list[ListEpoch]()
    run = fit_recvae(
        rows, RecVaeConfig.make(SMALL), np.random.default_rng(1), on_epoch=epochs.append
    )
    assert [each.epoch for each in epochs] == list(range(1, 9))
    assert epochs[-1].loss < epochs[0].loss
    known = Csr(
        np.array([0, 3, 3]), np.array([10, 12, 15], np.int32), np.ones(3, np.float32), None, 30
    )
    scores = run.weights.scores(known)
    assert scores.dtype == np.float32
    assert scores[0, 10:20].mean() > np.delete(scores[0], np.arange(10, 20)).max()
    assert np.isfinite(scores[1]).all()
    tensors = {name: torch.from_numpy(each).double() for name, each in run.weights.arrays.items()}
    tensors |= {"log_variance": tensors["mean"], "log_variance_bias": tensors["mean_bias"]}
    mean, _ = reference(tensors, dense(known)[:1])
    expected = mean @ tensors["output"].T + tensors["output_bias"]
    np.testing.assert_allclose(scores[:1], expected.numpy(), atol=1e-4)


def test_the_best_round_is_kept_and_found_again() -> None:
    config = RecVaeConfig.make({**SMALL, "rounds": 4, "score_every": 2})
    draws = iter([0.3, 0.2])
    seen: list[RecVaeWeights] = []

    def score(weights: RecVaeWeights) -> float:
        seen.append(weights)
        return next(draws)

    best = fit_recvae(groups(), config, np.random.default_rng(2), score=score)
    assert best.epoch == 2
    assert best.weights is seen[0]
    again = fit_recvae(groups(), config, np.random.default_rng(2), last=2)
    for name, each in best.weights.arrays.items():
        assert np.array_equal(each, again.weights.arrays[name])


def test_what_cannot_be_trained_is_refused() -> None:
    empty = Csr(np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), None, 4)
    config = RecVaeConfig.make(SMALL)
    with pytest.raises(TrainingError, match="there are none"):
        fit_recvae(empty, config, np.random.default_rng(0))
    wild = config.replace({"learning_rate": 1e30, "rounds": 2})
    with pytest.raises(TrainingError, match="not finite in epoch"):
        fit_recvae(groups(), wild, np.random.default_rng(0))


def test_the_parts_of_the_prior_have_weights_above_0() -> None:
    with pytest.raises(UsageError, match=r"mixture\.2 = 0\.0: .*greater than 0"):
        RecVaeConfig.make({"mixture": (0.5, 0.5, 0.0)})
