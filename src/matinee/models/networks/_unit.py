"""The unit of ratings in which networks are trained.

Learning rates and weight decay suit ratings with a standard deviation near 1. So networks are
trained on ratings divided by a unit, the power of 2 nearest to their standard deviation, and then
converted to the ratings' own unit. Both are exact in floating point: ratings multiplied by a power
of 2 give the same network. For most ratings of 1 to 5 the unit is 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ...base.memory import chunks
from ...data import Ratings
from ...nn import NetworkConfig
from ...train import WHOLE, Shard
from ._fitted import FittedNetwork


def unit_of(ratings: Ratings, networks: Iterable[NetworkConfig], shard: Shard = WHOLE) -> float:
    """Return the unit in which networks that learn from one another are trained.

    It is 1 if one of them cannot be converted: see ``NetworkConfig.has_free_unit``.

    Args:
        ratings: The training ratings of this process.
        networks: The options of the networks.
        shard: The processes that have the other ratings, if any.
    """
    if not all(network.has_free_unit for network in networks):
        return 1.0
    mean = _mean(ratings, 0.0, 1, shard)
    deviation = np.sqrt(_mean(ratings, mean, 2, shard))
    return float(2.0 ** np.round(np.log2(deviation))) if deviation > 0.0 else 1.0


def _mean(ratings: Ratings, center: float, power: int, shard: Shard) -> float:
    """Return the mean of a power of ratings minus ``center``."""
    sums = np.zeros(2)
    for some in chunks(len(ratings)):
        differences = ratings.values[some].astype(np.float64) - center
        sums += np.sum(differences**power), len(differences)
    shard.sum(sums)
    return float(sums[0] / max(sums[1], 1.0))


def multiplied(fitted: FittedNetwork, factor: float) -> FittedNetwork:
    """Return the same network for ratings multiplied by a power of 2.

    Its epochs, which are metrics in the ratings' own unit, stay as they are.
    """
    if factor == 1.0:
        return fitted
    scale = np.float32(factor)
    arrays, inputs, stored = dict(fitted.arrays), fitted.inputs, fitted.stored
    columns = len(inputs.offset)
    table = arrays["table_in"] = arrays["table_in"].copy()
    if inputs.kind == "ratings":
        table /= scale
    else:  # a row for the presence of a rating, and one for its value
        table[1 : 2 * columns : 2] /= scale
    for name in ("table_out", "bias_out"):
        arrays[name] = arrays[name] * scale
    link = None if inputs.link is None else inputs.link.multiplied(factor)
    return replace(
        fitted,
        arrays=arrays,
        inputs=replace(inputs, offset=inputs.offset * scale, link=link),
        known=fitted.known and fitted.known.multiplied(factor),
        stored=stored and replace(stored, added=stored.added * scale, table=stored.table * scale),
    )
