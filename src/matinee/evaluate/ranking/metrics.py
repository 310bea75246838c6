"""Metrics of lists: the summands, and the registry's entries computed from their sums over users.

T are the relevant test items of a user, r_1, r_2, ... the list, rel(i) is 1 if r_i is in T and 0
otherwise. A list shorter than k, because fewer items are left, counts as filled up with items that
are not relevant.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float64, Mask
from ..metric import Metric
from .batch import ListBatch
from .sums import ListTotals


def _reciprocal_rank(batch: ListBatch, k: int) -> Float64:
    hits = batch.hits[:, :k]
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1), 0.0)


def _mean_listed(values: Float64, batch: ListBatch, k: int) -> Float64:
    sums = values[:, :k].sum(axis=1)
    return sums / np.maximum(batch.listed_by[:, k - 1], 1)


def _pairs(batch: ListBatch, k: int) -> Float64:
    size = batch.listed_by[:, k - 1].astype(np.float64)
    return size * (size - 1) / 2


def _diverse(batch: ListBatch, k: int) -> Mask:
    return np.isfinite(batch.similarity[:, k - 1]) & (batch.listed_by[:, k - 1] > 1)


def _list_count(batch: ListBatch, k: int) -> Float64:
    known = np.isfinite(batch.history_count)
    return np.where(known, _mean_listed(batch.count, batch, k), 0.0)


def _distance(batch: ListBatch, k: int) -> Float64:
    mean = np.nan_to_num(batch.similarity[:, k - 1]) / np.maximum(_pairs(batch, k), 1.0)
    return np.where(_diverse(batch, k), 1.0 - mean, 0.0)


SUMMANDS: MappingProxyType[str, Callable[[ListBatch, int], Float64]] = MappingProxyType(
    {
        "recall": lambda lists, k: lists.hits_by[:, k - 1] / lists.relevant,
        "precision": lambda lists, k: lists.hits_by[:, k - 1] / k,
        "ndcg": lambda lists, k: lists.dcg(k) / np.cumsum(lists.discount)[lists.achievable(k) - 1],
        "mrr": _reciprocal_rank,
        "map": lambda lists, k: lists.precision_sum(k) / lists.relevant,
        "hit_rate": lambda lists, k: (lists.hits_by[:, k - 1] > 0).astype(np.float64),
        "recall_capped": lambda lists, k: lists.hits_by[:, k - 1] / lists.achievable(k),
        "ndcg_full": lambda lists, k: lists.dcg(k) / np.sum(lists.discount[:k]),
        "map_capped": lambda lists, k: lists.precision_sum(k) / lists.achievable(k),
        "hits": lambda lists, k: lists.hits_by[:, k - 1].astype(np.float64),
        "achievable": lambda lists, k: lists.achievable(k).astype(np.float64),
        "ratings": lambda lists, k: np.nansum(lists.rating[:, :k], axis=1),
        "rated": lambda lists, k: np.isfinite(lists.rating[:, :k]).sum(axis=1).astype(np.float64),
        "information": lambda lists, k: _mean_listed(lists.information, lists, k),
        "with_list": lambda lists, k: (lists.listed_by[:, k - 1] > 0).astype(np.float64),
        "list_count": _list_count,
        "history_count": lambda lists, k: np.where(
            lists.listed_by[:, k - 1] > 0, np.nan_to_num(lists.history_count, nan=0.0), 0.0
        ),
        "distance": _distance,
        "with_distance": lambda lists, k: _diverse(lists, k).astype(np.float64),
    }
)
"""The summands by name: functions of a batch of lists and k, float64 (people,)."""


def gini(exposure: npt.NDArray[np.integer]) -> Float64:
    """Return the Gini index of each row of counts, float64 (rows,): 0 for equal counts.

    With the n counts x ascending: sum((2 i - n - 1) x_i) / (n sum(x)), i from 1.
    """
    ordered = np.sort(exposure, axis=1).astype(np.float64)
    n = ordered.shape[1]
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    return (ordered @ weights) / (n * np.maximum(ordered.sum(axis=1), 1.0))


def _coverage(totals: ListTotals) -> Float64:
    if totals.exposure is None:
        return totals.missing()
    return (totals.exposure > 0).mean(axis=1)


def _mean(name: str, label: str, describe: str) -> Metric:
    """Return the metric that is the mean over users of the summand of its name."""
    return Metric(name, label, "list", "higher", lambda totals: totals.mean(name), describe)


LIST_METRICS: tuple[Metric, ...] = (
    _mean("recall", "recall", "Share of a person's relevant items that are in the list."),
    _mean("precision", "precision", "Share of the list's k places that hold a relevant item."),
    _mean("ndcg", "nDCG", "Hits discounted by 1 / log2(rank + 1), of the most that is achievable."),
    _mean("mrr", "MRR", "1 / rank of the first hit, 0 without a hit."),
    _mean(
        "map",
        "MAP",
        "Sum of the precisions at the ranks of the hits, divided by the number of relevant items.",
    ),
    _mean("hit_rate", "hit rate", "Share of people with at least one hit."),
    Metric(
        "mean_rating",
        "mean rating",
        "list",
        "higher",
        lambda totals: totals.ratio("ratings", "rated"),
        "Mean test rating of the listed items that have one, relevant or not.",
    ),
    Metric(
        "coverage",
        "coverage",
        "list",
        "higher",
        _coverage,
        "Share of the items that are in at least one list.",
    ),
    Metric(
        "gini",
        "Gini",
        "list",
        "lower",
        lambda totals: totals.missing() if totals.exposure is None else gini(totals.exposure),
        "Gini index of how often each item is listed: 0 where all are listed equally often.",
    ),
    Metric(
        "novelty",
        "novelty",
        "list",
        "higher",
        lambda totals: totals.ratio("information", "with_list"),
        "Mean of -log2 of the share of training people who have a listed item, in bits.",
    ),
    Metric(
        "popularity_lift",
        "popularity lift",
        "list",
        "zero",
        lambda totals: totals.ratio("list_count", "history_count") - 1.0,
        "Mean popularity of the lists, relative to that of the histories, less 1.",
    ),
    Metric(
        "diversity",
        "diversity",
        "list",
        "higher",
        lambda totals: totals.ratio("distance", "with_distance"),
        "Mean of 1 - cosine over the pairs of a list, items as vectors of who has them.",
    ),
)
