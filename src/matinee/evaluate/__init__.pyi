from ._breakdown import breakdown as breakdown
from ._error_bins import (
    Breakdown as Breakdown,
    CalibrationBin as CalibrationBin,
    ErrorBin as ErrorBin,
    ItemError as ItemError,
)
from ._evaluate import Scored as Scored, evaluate as evaluate
from ._result import (
    Baseline as Baseline,
    Coverage as Coverage,
    Evaluation as Evaluation,
    HistoryBin as HistoryBin,
    Scores as Scores,
    Subset as Subset,
)
from ._uncertainty import (
    IntervalCoverage as IntervalCoverage,
    StdGroup as StdGroup,
    Uncertainty as Uncertainty,
)
from .leak_guard import Overlap as Overlap, PairSet as PairSet
from .metric import (
    Interval as Interval,
    Metric as Metric,
    Score as Score,
    interval_text as interval_text,
)
from .metrics import ErrorSums as ErrorSums, ErrorTotals as ErrorTotals, mae as mae, rmse as rmse
from .prequential import prequential_gain as prequential_gain
from .ranking.baselines import LIST_BASELINES as LIST_BASELINES
from .ranking.evaluate import evaluate_lists as evaluate_lists, scored_lists as scored_lists
from .ranking.gain import ListGain as ListGain, list_gain as list_gain
from .ranking.result import ListBaseline as ListBaseline, ListEvaluation as ListEvaluation
from .registry import METRICS as METRICS, metrics_of as metrics_of
from .statistics.bootstrap import bootstrap as bootstrap, interval as interval
from .statistics.paired import Gain as Gain, paired_gain as paired_gain
from .statistics.questions import (
    Answer as Answer,
    Mean as Mean,
    Question as Question,
    Slope as Slope,
    Status as Status,
    answer as answer,
    argmin_slope as argmin_slope,
)
from .statistics.seeds import (
    Difference as Difference,
    Estimate as Estimate,
    adjust as adjust,
    holm as holm,
    paired as paired,
    pairs as pairs,
    t_interval as t_interval,
    t_p as t_p,
)
