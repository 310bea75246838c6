"""Training of a ``KernelNet``: L-BFGS over all ratings at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from ...data import Ratings
from ...errors import TrainingError
from ._kernel_net import KernelNet, Observed
from .sparsefc import SparseFCConfig


def observed(train: Ratings, values: npt.NDArray[np.float32]) -> Observed:
    """Return the ratings grouped both ways; ``values``, float32 (n,), are the inputs."""
    by_item, by_user = train.by_item, train.by_user
    position = np.arange(len(train), dtype=np.int64)
    inverse = np.empty_like(position)
    inverse[by_item.aligned(position)] = position
    return Observed(
        by_item.indptr,
        by_item.indices,
        by_item.aligned(values),
        by_user.indptr,
        by_user.indices,
        inverse[by_user.aligned(position)],
    )


def fit_kernel_net(
    net: KernelNet, data: Observed, config: SparseFCConfig
) -> Iterator[tuple[float, float]]:
    """Train a network in place, yielding after every ``restart`` iterations.

    The step is found by a strong Wolfe search, about 1.1 evaluations of all ratings an iteration.

    Yields:
        Half the sum of squared errors, and that plus the penalties.

    Raises:
        TrainingError: The loss is no longer finite.
    """
    latest = [0.0, 0.0]

    def evaluate() -> torch.Tensor:
        optimizer.zero_grad()
        half, whole = net.loss(data)
        whole.backward()  # type: ignore[no-untyped-call, unused-ignore]
        latest[:] = half.item(), whole.item()
        return whole.detach()

    n_done = 0
    while n_done < config.iterations:
        count = min(config.restart, config.iterations - n_done)
        optimizer = torch.optim.LBFGS(
            net.parameters,
            max_iter=count,
            max_eval=2 * count + 20,
            history_size=config.memory,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )
        optimizer.step(evaluate)  # type: ignore[no-untyped-call, unused-ignore]
        n_done += count
        if not np.isfinite(latest[1]):
            raise TrainingError(
                f"sparsefc: the loss is {latest[1]} after {n_done} iterations; raise lambda_2"
            )
        yield latest[0], latest[1]
