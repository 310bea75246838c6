"""Studies: many runs of the same question, told with intervals.

A study is a TOML file (``Study``): data, arms, seeds, and the claims to judge. The engine makes its
runs, keeps each one's record, and goes on where it was stopped; what is computed from the records
is in ``evaluate``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._results import EpochRecord, Results, RunRecord
from ._study import Arm, Check, Claim, Data, Group, Literature, Published, Quick, Study

if TYPE_CHECKING:
    from ._archive import read_archive, write_archive
    from ._arms import ResolvedArm, resolve_arms
    from ._claims import judge
    from ._engine import Outcome, run_study
    from ._find import find_study, study_names
    from ._judgement import Comparison, Judgement, Verdict
    from ._leaderboard import Leaderboard, leaderboard
    from ._plan import Plan, Spec, plan_study
    from ._space import Dimension, SearchSpace, default_space
    from ._store import Store, load_results
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
    "Leaderboard",
    "Literature",
    "Outcome",
    "Plan",
    "Published",
    "Quick",
    "ResolvedArm",
    "Results",
    "RunRecord",
    "SearchSpace",
    "Spec",
    "Store",
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
    "find_study",
    "judge",
    "leaderboard",
    "load_results",
    "plan_study",
    "read_archive",
    "resolve_arms",
    "run_study",
    "study_names",
    "summarise",
    "summary_markdown",
    "summary_table",
    "sweep",
    "write_archive",
]

# What needs statistics or a sweep is imported when it is first asked for.
_LAZY = {
    "read_archive": "_archive",
    "write_archive": "_archive",
    "load_results": "_store",
    "Store": "_store",
    "plan_study": "_plan",
    "Spec": "_plan",
    "Plan": "_plan",
    "study_names": "_find",
    "find_study": "_find",
    "run_study": "_engine",
    "Outcome": "_engine",
    "resolve_arms": "_arms",
    "ResolvedArm": "_arms",
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
    "Leaderboard": "_leaderboard",
    "leaderboard": "_leaderboard",
    "summarise": "_summary",
    "summary_markdown": "_tables",
    "summary_table": "_tables",
    "sweep": "_sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
