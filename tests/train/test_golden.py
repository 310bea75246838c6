"""Frozen losses: a change that was meant to change no number must not change these.

They are of float32 training, so another machine may differ in the last digits; hence 1e-5. The
initial weights are torch's stream of random numbers, which a new release of torch may change.
"""

from __future__ import annotations

from typing import Any

import pytest
from problems import ratings, run

from matinee.models import preset
from matinee.train import train

GOLDEN: dict[str, tuple[str, dict[str, Any], list[float]]] = {
    "base": ("base", {}, [2.6409886, 2.2560191, 1.8424933, 1.4845995]),
    "tuned": ("tuned", {}, [2.1469954, 1.2706263, 1.1502428, 0.93695091]),
    "everything": (
        "base",
        {
            "hidden": [24, 12, 24],
            "input": "presence",
            "objective": "conditional",
            "input_scale": "sqrt",
            "center": "bias",
            "output_bias": True,
            "init": "xavier",
            "learning_rate": 5e-3,
            "weight_decay": 0.1,
            "schedule": "cosine",
            "warmup": 0.5,
        },
        [1.2942524, 1.293395, 1.2521775, 1.287312],
    ),
    "input dropout": (
        "base",
        {
            "input_dropout": 0.2,
            "center": "mean",
            "optimizer": "sgd",
            "learning_rate": 5e-3,
            "l2": 0.01,
            "schedule": "step",
            "milestones": [2],
        },
        [1.2436888, 1.2236737, 1.2188211, 1.2181693],
    ),
    "tied": (
        "tuned",
        {"tied": True, "optimizer": "sgd", "learning_rate": 5e-3, "batch_norm": True},
        [2.0925693, 1.6325792, 1.2513782, 0.98482568],
    ),
    "default": (
        "default",
        {"hidden": [32], "batch_size": 16},
        [1.2593785, 1.2791583, 1.2427816, 1.2823265],
    ),
    "default, faster": (  # the learning rate that the preset had while it had one teacher
        "default",
        {"hidden": [32], "batch_size": 16, "learning_rate": 4e-3},
        [1.2583697, 1.2732796, 1.2342249, 1.2700970],
    ),
    "deeprec": (
        "deeprec-3m",
        {"hidden": [16, 32, 16], "batch_size": 16},
        [2.8325094, 2.2248295, 1.7776835, 1.5691168],
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_seeded_losses(name: str) -> None:
    preset_name, options, wanted = GOLDEN[name]
    csr = ratings(seed=1, rows=200, columns=120, share=0.15)
    assert (len(csr.values), float(csr.values.sum())) == (3805, 9483)
    chosen = preset(preset_name).replace({"epochs": 4, **options})
    rmses = [epoch.train_rmse for epoch in train(run(chosen, seed=0, csr=csr))]
    assert rmses == pytest.approx(wanted, rel=1e-5)
