"""Studies: many runs of the same question, told with intervals.

A study is a TOML file (``Study``): data, arms, seeds, and the claims to judge. The engine makes its
runs, keeps each one's record, and goes on where it was stopped; what is computed from the records
is in ``evaluate``.
"""

from typing import TYPE_CHECKING

from .._lazy import lazily
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
_HOMES = {
    "_archive": ("read_archive", "write_archive"),
    "_arms": ("ResolvedArm", "resolve_arms"),
    "_claims": ("judge",),
    "_engine": ("Outcome", "run_study"),
    "_find": ("find_study", "study_names"),
    "_judgement": ("Comparison", "Judgement", "Verdict"),
    "_leaderboard": ("Leaderboard", "leaderboard"),
    "_plan": ("Plan", "Spec", "plan_study"),
    "_space": ("Dimension", "SearchSpace", "default_space"),
    "_store": ("Store", "load_results"),
    "_summary": ("ArmSummary", "Curve", "Summary", "summarise"),
    "_sweep": ("sweep",),
    "_sweep_result": ("Sweep", "Trial"),
    "_tables": (
        "claims_markdown",
        "claims_table",
        "compare",
        "compare_results",
        "summary_markdown",
        "summary_table",
    ),
}
__getattr__ = lazily(__name__, _HOMES)
