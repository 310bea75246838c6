"""Honest scores: metrics, intervals, baselines beside them, and the leak guard."""

from ._bootstrap import Interval, bootstrap, interval
from ._breakdown import Breakdown, CalibrationBin, ErrorBin, ItemError, breakdown
from ._evaluate import Scored, evaluate
from ._leak_guard import Overlap, PairSet
from ._metrics import ErrorSums, mae, rmse
from ._paired import Gain, paired_gain
from ._questions import Answer, Mean, Question, Slope, Status, answer, argmin_slope
from ._result import Baseline, Coverage, Evaluation, HistoryBin, Part
from ._seeds import Difference, Estimate, adjust, holm, paired, pairs, t_interval, t_p
from ._uncertainty import IntervalCoverage, StdGroup, Uncertainty

__all__ = [
    "Answer",
    "Baseline",
    "Breakdown",
    "CalibrationBin",
    "Coverage",
    "Difference",
    "ErrorBin",
    "ErrorSums",
    "Estimate",
    "Evaluation",
    "Gain",
    "HistoryBin",
    "Interval",
    "IntervalCoverage",
    "ItemError",
    "Mean",
    "Overlap",
    "PairSet",
    "Part",
    "Question",
    "Scored",
    "Slope",
    "Status",
    "StdGroup",
    "Uncertainty",
    "adjust",
    "answer",
    "argmin_slope",
    "bootstrap",
    "breakdown",
    "evaluate",
    "holm",
    "interval",
    "mae",
    "paired",
    "paired_gain",
    "pairs",
    "rmse",
    "t_interval",
    "t_p",
]
