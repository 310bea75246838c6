"""Re-feeding in a run: what is refused, what is reported, schedules, and going on from a state."""

from __future__ import annotations

from typing import Any

import pytest
from problems import assert_goes_on, parts, ratings, run, settings

from matinee.errors import UsageError
from matinee.models import preset
from matinee.train import train
from matinee.train._backend import KernelBackend, TorchBackend
from matinee.train.optimizer.schedule import learning_rates

KINDS = [KernelBackend, TorchBackend]


def test_bad_options_are_refused() -> None:
    with pytest.raises(UsageError, match="refeed"):
        settings(refeed="often")
    with pytest.raises(UsageError, match="refeed_entries"):
        settings(refeed_entries=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["dense", "sampled"])
def test_rates_are_by_epoch_however_many_steps(kind: Any, form: str) -> None:
    chosen = settings(
        refeed=form, epochs=4, schedule="step", milestones=[1, 3], gamma=0.5, learning_rate=0.4
    )
    net, _ = parts(chosen, ratings())
    backend = kind(net, chosen.train, 5)
    rates = [backend.learning_rate(step) for step in range(1, 21)]
    assert rates == [0.4] * 5 + [0.2] * 10 + [0.1] * 5
    assert len(learning_rates(chosen.train, 10)) == 41


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["dense", "sampled"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_state_there_and_back(kind: Any, form: str, optimizer: str) -> None:
    """From weights, state and generator alone, a fresh backend goes on bit for bit."""
    chosen = settings(
        refeed=form, refeed_entries=9, optimizer=optimizer, weight_decay=0.1, code_dropout=0.2
    )
    assert_goes_on(kind, chosen, half=6, room=30)


def test_what_is_reported_is_of_the_step_on_x() -> None:
    """At a rate of next to nothing all forms see the same losses; at a real one they part."""
    still = {"learning_rate": 1e-12, "optimizer": "sgd", "epochs": 2}
    seen = {
        form: [e.loss for e in train(run(settings(refeed=form, refeed_entries=9, **still)))]
        for form in ("off", "dense", "sampled")
    }
    assert seen["dense"] == pytest.approx(seen["off"], rel=1e-6)
    assert seen["sampled"] == pytest.approx(seen["off"], rel=1e-6)
    moving = {**still, "learning_rate": 0.05}
    moved = {form: list(train(run(settings(refeed=form, **moving)))) for form in ("off", "dense")}
    assert moved["dense"][-1].loss != pytest.approx(moved["off"][-1].loss, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "hidden", "dropout"),
    [
        ("3m", (128, 256, 256, 256, 128), 0.65),
        ("6m", (256, 256, 512, 256, 256), 0.8),
        ("1y", (256, 256, 512, 256, 256), 0.8),
        ("full", (512, 512, 1024, 512, 512), 0.8),
    ],
)
def test_the_papers_networks(name: str, hidden: tuple[int, ...], dropout: float) -> None:
    chosen = preset(f"deeprec-{name}")
    network, how = chosen.network, chosen.train
    assert network.hidden == hidden
    assert network.code_dropout == dropout
    assert hidden[network.code_layer] == max(hidden)
    assert network.code_layer == 2  # three layers to the code, as in its --hidden_layers
    assert network.activation == network.output_activation == "selu"
    assert (network.init, network.output_bias, network.bias_start) == ("xavier", True, "zero")
    assert (network.rows, network.input, network.center) == ("users", "ratings", "none")
    assert (network.input_scale, network.input_dropout) == ("none", 0.0)
    assert (network.tied, network.clip, network.shrink, network.batch_norm) == (False,) * 4
    assert (how.optimizer, how.momentum, how.learning_rate) == ("sgd", 0.9, 5e-3)
    assert (how.batch_size, how.epochs, how.objective) == (128, 102, "reconstruct")
    assert (how.schedule, how.milestones, how.gamma) == ("step", (24, 36, 48, 66, 72), 0.5)
    assert (how.l2, how.weight_decay, how.warmup, how.refeed) == (0.0, 0.0, 0.0, "dense")
    assert how.validation > 0
    assert how.keep == "best"
    chosen.replace({"tied": True})
    # Halved from the 25th epoch on: its scheduler steps at the start of an epoch, from 0.
    rates = learning_rates(how, 1)[1:]
    assert rates[23] == 5e-3
    assert rates[24] == 2.5e-3
    assert rates[-1] == pytest.approx(5e-3 / 32)
