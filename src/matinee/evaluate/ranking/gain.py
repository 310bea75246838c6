"""Comparison of two models by their lists for the same users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float64, Int64
from ...data import Histories, Ratings
from ..metric import Interval
from ..statistics.bootstrap import interval, resample
from .evaluate import Lists
from .items import ItemStatistics
from .relevant import Relevant, relevant_from
from .tally import tally


@dataclass(frozen=True)
class ListGain:
    """Difference in nDCG between two models, for the same users.

    Attributes:
        before: nDCG@k of the first, mean over people.
        after: nDCG@k of the second.
        gain: ``after - before``: positive if the second is better.
        interval: 95% interval of the gain by bootstrap over people; None with fewer than two.
        n: Relevant test ratings.
        n_people: Users with at least one.
        k: Length of the lists.
    """

    before: float
    after: float
    gain: float
    interval: Interval | None
    n: int
    n_people: int
    k: int


def list_gain(
    before: Lists,
    after: Lists,
    test: Ratings,
    shown: tuple[tuple[Histories, Int64], tuple[Histories, Int64]],
    *,
    k: int = 10,
    relevant: float | None = None,
    seed: int = 0,
) -> ListGain | None:
    """Compare the lists of two models, ranking all items without sampling.

    Args:
        before: The first model.
        after: The second model; it may know other items.
        test: Ratings that neither was trained on.
        shown: For each model, histories in its item codes, and the row in them of each user code of
            ``test``, -1 for none.
        k: Length of the lists.
        relevant: The lowest relevant rating; by default three quarters up the scale of the first.
        seed: Seeds the bootstrap over people.

    Returns:
        The gain; None if no test rating is relevant.
    """
    if relevant is None or test.implicit:
        relevant = relevant_from(before.scale_of_histories, test)
    if not (test.values >= relevant).any():
        return None
    columns = []
    for model, (histories, rows) in zip((before, after), shown, strict=True):
        targets = Relevant.of(test, model.item_ids, relevant)
        n_items = len(model.item_ids)
        statistics = ItemStatistics.of_counts(np.zeros(n_items, dtype=np.int64), 0)
        scorers = [model.rank_scores_coded]
        result = tally(scorers, histories, rows[targets.users], targets, statistics, (k,))
        columns.append(result.sums[k].values["ndcg"][:, 0])
    first, second = columns
    differences: Float64 = second - first
    bounds = None
    if len(differences) > 1:
        drawn = resample(differences[:, None], np.random.default_rng(seed))
        bounds = interval(drawn[:, 0] / len(differences))
    return ListGain(
        before=float(first.mean()),
        after=float(second.mean()),
        gain=float(differences.mean()),
        interval=bounds,
        n=targets.n,
        n_people=len(targets),
        k=k,
    )
