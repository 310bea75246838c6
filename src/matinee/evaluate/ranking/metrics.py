"""Metrics of lists: the registry's entries, each computed from ``ListTotals``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float64
from ..metric import Metric
from .sums import ListTotals


def gini(exposure: npt.NDArray[np.integer]) -> Float64:
    """The Gini index of each row of counts, float64 (rows,): 0 is even, near 1 a few have all.

    With the n counts x ascending: sum((2 i - n - 1) x_i) / (n sum(x)), i from 1.
    """
    ordered = np.sort(exposure, axis=1).astype(np.float64)
    n = ordered.shape[1]
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    gini: Float64 = (ordered @ weights) / (n * np.maximum(ordered.sum(axis=1), 1.0))
    return gini


def _coverage(totals: ListTotals) -> Float64:
    if totals.exposure is None:
        return totals.missing()
    coverage: Float64 = (totals.exposure > 0).mean(axis=1)
    return coverage


def _gini(totals: ListTotals) -> Float64:
    return totals.missing() if totals.exposure is None else gini(totals.exposure)


LIST_METRICS: tuple[Metric, ...] = (
    Metric(
        "recall",
        "recall",
        "list",
        "higher",
        lambda totals: totals.mean("recall"),
        "Share of a person's relevant items that are in the list.",
    ),
    Metric(
        "precision",
        "precision",
        "list",
        "higher",
        lambda totals: totals.mean("precision"),
        "Share of the list's k places that hold a relevant item.",
    ),
    Metric(
        "ndcg",
        "nDCG",
        "list",
        "higher",
        lambda totals: totals.mean("ndcg"),
        "Hits discounted by 1 / log2(rank + 1), of the most that is achievable.",
    ),
    Metric(
        "mrr",
        "MRR",
        "list",
        "higher",
        lambda totals: totals.mean("mrr"),
        "1 / rank of the first hit, 0 without a hit.",
    ),
    Metric(
        "map",
        "MAP",
        "list",
        "higher",
        lambda totals: totals.mean("map"),
        "Sum of the precisions at the ranks of the hits, divided by the number of relevant items.",
    ),
    Metric(
        "hit_rate",
        "hit rate",
        "list",
        "higher",
        lambda totals: totals.mean("hit_rate"),
        "Share of people with at least one hit.",
    ),
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
        _gini,
        "Gini index of how often each item is listed: 0 where all are listed equally often.",
    ),
    Metric(
        "novelty",
        "novelty",
        "list",
        "higher",
        lambda totals: totals.mean("information"),
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
