"""The learning rate of every step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from matinee.train import TrainConfig
from matinee.train.optimizer.schedule import learning_rates


def rates(**options: Any) -> np.ndarray:
    """Of steps 1 to the last, at 7 steps an epoch."""
    return learning_rates(TrainConfig.make({"learning_rate": 0.4, **options}), 7)[1:]


def test_constant() -> None:
    rates_by_step = rates(epochs=5)
    assert len(rates_by_step) == 35
    assert (rates_by_step == 0.4).all()


@pytest.mark.parametrize("milestones", [[3], [1, 4], [4, 1], [2, 2], [0], [99]])
def test_steps_are_torchs_multi_step(milestones: list[int]) -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=0.3)
    wanted = []
    for _ in range(6):
        for _ in range(7):
            optimizer.step()
            wanted.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    rates_by_step = rates(epochs=6, schedule="step", milestones=milestones, gamma=0.3)
    assert np.allclose(rates_by_step, wanted, rtol=1e-12)


def test_cosine_falls_from_the_top_to_nearly_nothing() -> None:
    rates_by_step = rates(epochs=4, schedule="cosine")
    n = len(rates_by_step)
    assert np.allclose(rates_by_step, 0.2 * (1 + np.cos(np.pi * np.arange(n) / n)), rtol=1e-12)
    assert rates_by_step[0] == 0.4
    assert rates_by_step[n // 2] == pytest.approx(0.2)
    assert 0 < rates_by_step[-1] < 0.002
    assert (np.diff(rates_by_step) < 0).all()


def test_warmup_rises_and_then_leaves_the_schedule_alone() -> None:
    warmed, plain = rates(epochs=6, warmup=2), rates(epochs=6)
    assert np.allclose(warmed[:14], 0.4 * np.arange(1, 15) / 14)
    assert np.array_equal(warmed[14:], plain[14:])
    half = rates(epochs=6, warmup=0.5, schedule="cosine")
    assert np.allclose(half[:3], rates(epochs=6, schedule="cosine")[:3] * np.arange(1, 4) / 3.5)
    assert np.array_equal(half[4:], rates(epochs=6, schedule="cosine")[4:])
