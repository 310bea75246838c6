"""Honest scores: metrics, intervals, baselines beside them, and the leak guard."""

from ._bootstrap import Interval, bootstrap, interval
from ._breakdown import Breakdown, CalibrationBin, ErrorBin, ItemError, breakdown
from ._evaluate import Scored, evaluate
from ._leak_guard import Overlap, PairSet
from ._metrics import ErrorSums, mae, rmse
from ._paired import Gain, paired_gain
from ._result import Baseline, Coverage, Evaluation, HistoryBin, Part

__all__ = [
    "Baseline",
    "Breakdown",
    "CalibrationBin",
    "Coverage",
    "ErrorBin",
    "ErrorSums",
    "Evaluation",
    "Gain",
    "HistoryBin",
    "Interval",
    "ItemError",
    "Overlap",
    "PairSet",
    "Part",
    "Scored",
    "bootstrap",
    "breakdown",
    "evaluate",
    "interval",
    "mae",
    "paired_gain",
    "rmse",
]
