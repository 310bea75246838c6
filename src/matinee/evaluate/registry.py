"""The registry of metrics: command line, reports, studies and leaderboard loop over it."""

from __future__ import annotations

from types import MappingProxyType

from .metric import Kind, Metric
from .metrics import RATING_METRICS
from .ranking.metrics import LIST_METRICS

METRICS: MappingProxyType[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (*RATING_METRICS, *LIST_METRICS)}
)
"""Every metric by name, in the order of tables."""


def metrics_of(kind: Kind) -> tuple[Metric, ...]:
    """Return the metrics of one kind, in the order of tables."""
    return tuple(metric for metric in METRICS.values() if metric.kind == kind)
