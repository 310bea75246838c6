"""Studies: many runs of the same question, told with intervals.

A study is a TOML file (``Study``): data, arms, seeds, and the claims to judge. The engine makes its
runs, keeps each one's record, and goes on where it was stopped; what is computed from the records
is in ``evaluate``.
"""

from ._results import EpochRecord, Results, RunRecord
from ._study import Arm, Check, Claim, Data, Group, Published, Quick, Study

__all__ = [
    "Arm",
    "Check",
    "Claim",
    "Data",
    "EpochRecord",
    "Group",
    "Published",
    "Quick",
    "Results",
    "RunRecord",
    "Study",
]
