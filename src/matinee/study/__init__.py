"""Studies: many runs of the same question, told with intervals.

A study is a TOML file (``Study``): data, arms, seeds, and the claims to judge. The engine makes its
runs, keeps each one's record, and goes on where it was stopped; what is computed from the records
is in ``evaluate``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._results import EpochRecord, Results, RunRecord
from ._study import Arm, Check, Claim, Data, Group, Published, Quick, Study

if TYPE_CHECKING:
    from ._claims import judge
    from ._judgement import Comparison, Judgement, Verdict
    from ._space import Dimension, SearchSpace, default_space
    from ._summary import ArmSummary, Curve, Summary, summarise
    from ._sweep import sweep
    from ._sweep_result import Sweep, Trial
    from ._tables import (
        claims_markdown,
        claims_table,
        compare,
        compare_results,
        summary_markdown,
        summary_table,
    )

__all__ = [
    "Arm",
    "ArmSummary",
    "Check",
    "Claim",
    "Comparison",
    "Curve",
    "Data",
    "Dimension",
    "EpochRecord",
    "Group",
    "Judgement",
    "Published",
    "Quick",
    "Results",
    "RunRecord",
    "SearchSpace",
    "Study",
    "Summary",
    "Sweep",
    "Trial",
    "Verdict",
    "claims_markdown",
    "claims_table",
    "compare",
    "compare_results",
    "default_space",
    "judge",
    "summarise",
    "summary_markdown",
    "summary_table",
    "sweep",
]

# What needs statistics or a sweep is imported when it is first asked for.
_LAZY = {
    "ArmSummary": "_summary",
    "Comparison": "_judgement",
    "Curve": "_summary",
    "Dimension": "_space",
    "Judgement": "_judgement",
    "SearchSpace": "_space",
    "Summary": "_summary",
    "Sweep": "_sweep_result",
    "Trial": "_sweep_result",
    "Verdict": "_judgement",
    "claims_markdown": "_tables",
    "claims_table": "_tables",
    "compare": "_tables",
    "compare_results": "_tables",
    "default_space": "_space",
    "judge": "_claims",
    "summarise": "_summary",
    "summary_markdown": "_tables",
    "summary_table": "_tables",
    "sweep": "_sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
