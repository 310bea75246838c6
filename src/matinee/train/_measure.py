"""Metrics of an epoch: the RMSE of the watched sets, and further measures for studies."""

from __future__ import annotations

import numpy as np

from ..nn import Network, single_row_statistics
from .config import TrainConfig
from .optimizer.optimizer import has_l2
from .run import Run


def measure(run: Run) -> tuple[dict[str, float], dict[str, float]]:
    """Return the RMSE of each watched set, and the run's further measures by name."""
    watched: dict[str, float] = {}
    more: dict[str, float] = {}
    parts = run.network, run.inputs, run.known
    for name, held in run.watch.items():
        errors = held.squared_errors(*parts)
        watched[name] = float(np.sqrt(errors.mean()))
        if "user_mean" in run.measures:
            more[f"{name}_user_mean"] = held.mean_user_rmse(errors)
    penalty = None
    if "penalty" in run.measures and run.config.l2 > 0:
        penalty = more["penalty"] = l2_penalty(run.network, run.config)
    if run.training is not None:
        errors = run.training.squared_errors(*parts)
        more["training"] = float(np.sqrt(errors.mean()))
        more["training_user_mean"] = run.training.mean_user_rmse(errors)
        if penalty is not None:
            more["training_user_mean_penalised"] = run.training.mean_user_rmse(errors, penalty)
    if "single_row" in run.measures and run.network.config.batch_norm:
        with single_row_statistics(run.network):
            for name, held in run.watch.items():
                more[f"{name}_single_row"] = held.rmse(*parts)
            if run.training is not None:
                errors = run.training.squared_errors(*parts)
                more["training_user_mean_single_row"] = run.training.mean_user_rmse(errors)
    factors = {"penalty": run.unit**2}  # the others are roots of mean squares
    return (
        {name: run.unit * value for name, value in watched.items()},
        {name: factors.get(name, run.unit) * value for name, value in more.items()},
    )


def l2_penalty(network: Network, config: TrainConfig) -> float:
    """Return the L2 term of the loss: l2 times half the sum of squared parameters."""
    total = sum(
        float(p.detach().double().square().sum())
        for p in network.parameters()
        if p.requires_grad and has_l2(config, p)
    )
    return 0.5 * config.l2 * total
