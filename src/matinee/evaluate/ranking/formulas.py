"""The formulas of lists, one person at a time: every sum over people comes from here.

T are the relevant test items of a person, r_1, r_2, ... the list, rel(i) is 1 where r_i is in T
and 0 elsewhere. A list that is shorter than k, because fewer items are left, counts as filled up
with items that are not relevant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from ...base.arrays import Float64, Int64, Mask


@dataclass(frozen=True, eq=False)
class ListBatch:
    """The lists of some people, to a depth of ``depth`` items, and what is known of the items.

    Attributes:
        hits: Whether each listed item is relevant, bool (people, depth).
        listed: Whether there is an item at all, bool (people, depth).
        relevant: Relevant items of each person, int64 (people,).
        rating: The test rating of each listed item, relevant or not, NaN for one without, float64
            (people, depth).
        count: Training interactions of each listed item, 0 for none, float64 (people, depth).
        information: -log2 of the share of training people who have the item, float64
            (people, depth), 0 for no item.
        likeness: Sum of the cosines between all pairs among the first items, float64
            (people, depth); NaN for people who are left out of the diversity.
        history_count: Mean training interactions of the items of a person's history, float64
            (people,); NaN for one without.
    """

    hits: Mask
    listed: Mask
    relevant: Int64
    rating: Float64
    count: Float64
    information: Float64
    likeness: Float64
    history_count: Float64

    @cached_property
    def hits_by(self) -> Int64:
        """Hits among the first items, int64 (people, depth)."""
        hits_by: Int64 = np.cumsum(self.hits, axis=1, dtype=np.int64)
        return hits_by

    @cached_property
    def listed_by(self) -> Int64:
        """Items among the first places, int64 (people, depth)."""
        listed_by: Int64 = np.cumsum(self.listed, axis=1, dtype=np.int64)
        return listed_by

    @cached_property
    def discount(self) -> Float64:
        """1 / log2(rank + 1), float64 (depth,)."""
        discount: Float64 = 1.0 / np.log2(np.arange(2, self.hits.shape[1] + 2))
        return discount

    def dcg(self, k: int) -> Float64:
        """Discounted cumulative gain with gains of 0 and 1, float64 (people,)."""
        dcg: Float64 = self.hits[:, :k] @ self.discount[:k]
        return dcg

    def precision_sum(self, k: int) -> Float64:
        """Sum over the hits of the precision at their ranks, float64 (people,)."""
        at_rank = self.hits_by[:, :k] / np.arange(1, k + 1)
        precision_sum: Float64 = (at_rank * self.hits[:, :k]).sum(axis=1)
        return precision_sum

    def achievable(self, k: int) -> Int64:
        """min(k, |T|), int64 (people,)."""
        return np.minimum(self.relevant, k)


def _recall(batch: ListBatch, k: int) -> Float64:
    recall: Float64 = batch.hits_by[:, k - 1] / batch.relevant
    return recall


def _capped_recall(batch: ListBatch, k: int) -> Float64:
    capped_recall: Float64 = batch.hits_by[:, k - 1] / batch.achievable(k)
    return capped_recall


def _precision(batch: ListBatch, k: int) -> Float64:
    precision: Float64 = batch.hits_by[:, k - 1] / k
    return precision


def _ndcg(batch: ListBatch, k: int) -> Float64:
    ndcg: Float64 = batch.dcg(k) / np.cumsum(batch.discount)[batch.achievable(k) - 1]
    return ndcg


def _full_ndcg(batch: ListBatch, k: int) -> Float64:
    full_ndcg: Float64 = batch.dcg(k) / np.sum(batch.discount[:k])
    return full_ndcg


def _reciprocal_rank(batch: ListBatch, k: int) -> Float64:
    hits = batch.hits[:, :k]
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1), 0.0)


def _average_precision(batch: ListBatch, k: int) -> Float64:
    average_precision: Float64 = batch.precision_sum(k) / batch.relevant
    return average_precision


def _capped_average_precision(batch: ListBatch, k: int) -> Float64:
    capped_average_precision: Float64 = batch.precision_sum(k) / batch.achievable(k)
    return capped_average_precision


def _hit(batch: ListBatch, k: int) -> Float64:
    return (batch.hits_by[:, k - 1] > 0).astype(np.float64)


def _hits(batch: ListBatch, k: int) -> Float64:
    return batch.hits_by[:, k - 1].astype(np.float64)


def _achievable(batch: ListBatch, k: int) -> Float64:
    return batch.achievable(k).astype(np.float64)


def _ratings(batch: ListBatch, k: int) -> Float64:
    ratings: Float64 = np.nansum(batch.rating[:, :k], axis=1)
    return ratings


def _rated(batch: ListBatch, k: int) -> Float64:
    counted: Float64 = np.isfinite(batch.rating[:, :k]).sum(axis=1).astype(np.float64)
    return counted


def _mean_listed(values: Float64, batch: ListBatch, k: int) -> Float64:
    sums = values[:, :k].sum(axis=1)
    mean_listed: Float64 = sums / np.maximum(batch.listed_by[:, k - 1], 1)
    return mean_listed


def _information(batch: ListBatch, k: int) -> Float64:
    return _mean_listed(batch.information, batch, k)


def _list_count(batch: ListBatch, k: int) -> Float64:
    known = np.isfinite(batch.history_count)
    return np.where(known, _mean_listed(batch.count, batch, k), 0.0)


def _history_count(batch: ListBatch, k: int) -> Float64:
    return np.nan_to_num(batch.history_count, nan=0.0)


def _pairs(batch: ListBatch, k: int) -> Float64:
    size = batch.listed_by[:, k - 1].astype(np.float64)
    pairs: Float64 = size * (size - 1) / 2
    return pairs


def _diverse(batch: ListBatch, k: int) -> Mask:
    return np.isfinite(batch.likeness[:, k - 1]) & (batch.listed_by[:, k - 1] > 1)


def _distance(batch: ListBatch, k: int) -> Float64:
    mean = np.nan_to_num(batch.likeness[:, k - 1]) / np.maximum(_pairs(batch, k), 1.0)
    return np.where(_diverse(batch, k), 1.0 - mean, 0.0)


def _with_distance(batch: ListBatch, k: int) -> Float64:
    return _diverse(batch, k).astype(np.float64)


SUMMANDS: MappingProxyType[str, Callable[[ListBatch, int], Float64]] = MappingProxyType(
    {
        "recall": _recall,
        "precision": _precision,
        "ndcg": _ndcg,
        "mrr": _reciprocal_rank,
        "map": _average_precision,
        "hit_rate": _hit,
        "recall_capped": _capped_recall,
        "ndcg_full": _full_ndcg,
        "map_capped": _capped_average_precision,
        "hits": _hits,
        "achievable": _achievable,
        "ratings": _ratings,
        "rated": _rated,
        "information": _information,
        "list_count": _list_count,
        "history_count": _history_count,
        "distance": _distance,
        "with_distance": _with_distance,
    }
)
"""What is summed over people, by name: functions of a batch of lists and k, float64 (people,)."""
