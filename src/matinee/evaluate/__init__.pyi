from ._breakdown import (
    Breakdown as Breakdown,
)
from ._breakdown import (
    CalibrationBin as CalibrationBin,
)
from ._breakdown import (
    ErrorBin as ErrorBin,
)
from ._breakdown import (
    ItemError as ItemError,
)
from ._breakdown import (
    breakdown as breakdown,
)
from ._evaluate import Scored as Scored
from ._evaluate import evaluate as evaluate
from ._result import (
    Baseline as Baseline,
)
from ._result import (
    Coverage as Coverage,
)
from ._result import (
    Evaluation as Evaluation,
)
from ._result import (
    HistoryBin as HistoryBin,
)
from ._result import (
    Part as Part,
)
from ._result import (
    Scores as Scores,
)
from ._uncertainty import (
    IntervalCoverage as IntervalCoverage,
)
from ._uncertainty import (
    StdGroup as StdGroup,
)
from ._uncertainty import (
    Uncertainty as Uncertainty,
)
from .leak_guard import Overlap as Overlap
from .leak_guard import PairSet as PairSet
from .metric import Interval as Interval
from .metric import Metric as Metric
from .metric import Score as Score
from .metrics import ErrorSums as ErrorSums
from .metrics import ErrorTotals as ErrorTotals
from .metrics import mae as mae
from .metrics import rmse as rmse
from .ranking.baselines import LIST_BASELINES as LIST_BASELINES
from .ranking.evaluate import evaluate_lists as evaluate_lists
from .ranking.result import ListBaseline as ListBaseline
from .ranking.result import ListEvaluation as ListEvaluation
from .registry import METRICS as METRICS
from .registry import metrics_of as metrics_of
from .statistics.bootstrap import bootstrap as bootstrap
from .statistics.bootstrap import interval as interval
from .statistics.paired import Gain as Gain
from .statistics.paired import paired_gain as paired_gain
from .statistics.questions import (
    Answer as Answer,
)
from .statistics.questions import (
    Mean as Mean,
)
from .statistics.questions import (
    Question as Question,
)
from .statistics.questions import (
    Slope as Slope,
)
from .statistics.questions import (
    Status as Status,
)
from .statistics.questions import (
    answer as answer,
)
from .statistics.questions import (
    argmin_slope as argmin_slope,
)
from .statistics.seeds import (
    Difference as Difference,
)
from .statistics.seeds import (
    Estimate as Estimate,
)
from .statistics.seeds import (
    adjust as adjust,
)
from .statistics.seeds import (
    holm as holm,
)
from .statistics.seeds import (
    paired as paired,
)
from .statistics.seeds import (
    pairs as pairs,
)
from .statistics.seeds import (
    t_interval as t_interval,
)
from .statistics.seeds import (
    t_p as t_p,
)
