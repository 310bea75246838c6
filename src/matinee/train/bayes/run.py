"""Samples a ``Posterior`` from ratings."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np

from ...base.arrays import Float64, Int32, evenly_spaced
from ...data import Ratings, coded_columns
from .config import BayesianConfig
from .fold_in import expected_levels
from .posterior import Posterior
from .sampler import Gibbs, Sample, sampled

MEASURED = 50_000
"""Largest number of training ratings in the RMSE reported after each sweep."""

Score = Callable[[Int32, Int32], Float64]


def sample_posterior(
    train: Ratings,
    config: BayesianConfig,
    rng: np.random.Generator,
    on_sweep: Callable[[float, Score], None] | None = None,
) -> Posterior:
    """Run the chains, each in a thread, and keep a thinned set of their samples.

    Args:
        train: The ratings; users and items without any are drawn from the prior.
        config: The options.
        rng: Generator of all draws.
        on_sweep: Called after each sweep of the first chain with the RMSE of its current sample on
            training ratings, and a function predicting known (users, items). An exception ends all
            chains.

    Raises:
        UsageError: A column in ``config.columns`` does not exist.
    """
    items = None if train.item_table is None else train.item_table.side
    users, of_items = coded_columns(config.columns, (train.user_columns, items), train.name)
    coded = users, of_items
    gibbs, *others = [Gibbs(train, config, each, coded) for each in rng.spawn(config.chains)]
    stop = Event()

    def run(chain: Gibbs) -> list[Sample]:
        samples = []
        for sample in sampled(chain, config):
            if stop.is_set():
                break
            if sample is not None:
                samples.append(sample)
        return samples

    by_user = train.by_user
    sample_entries = evenly_spaced(len(train), MEASURED)
    rows = by_user.rows_of(sample_entries).astype(np.int32)
    columns, values = by_user.indices[sample_entries], by_user.values[sample_entries]
    samples: list[Sample] = []
    with ThreadPoolExecutor(max(len(others), 1)) as pool:
        started = [pool.submit(run, other) for other in others]
        try:
            for sample in sampled(gibbs, config):
                if sample is not None:
                    samples.append(sample)
                if on_sweep is not None:
                    errors = current(gibbs, rows, columns) - values
                    on_sweep(
                        float(np.sqrt(np.mean(np.square(errors)))),
                        lambda users, items: current(gibbs, users, items),
                    )
        except BaseException:
            stop.set()
            raise
        for other in started:
            samples += other.result()
    return Posterior.of(gibbs, samples, coded)


def current(gibbs: Gibbs, users: Int32, items: Int32) -> Float64:
    """Predict for known users and items by the chain's current sample, float64 (n,)."""
    scores = gibbs.start + gibbs.users.scalars[users] + gibbs.items.scalars[items]
    for p, q in zip(gibbs.users.sums, gibbs.items.sums, strict=True):
        scores += p[users] * q[items]
    if not len(gibbs.levels):
        return gibbs.mean + gibbs.spread * scores
    expected_levels(scores, np.zeros(len(scores)), gibbs.cutpoints, gibbs.levels)
    return scores
