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
    from ._space import Dimension, SearchSpace, default_space
    from ._sweep import sweep
    from ._sweep_result import Sweep, Trial

__all__ = [
    "Arm",
    "Check",
    "Claim",
    "Data",
    "Dimension",
    "EpochRecord",
    "Group",
    "Published",
    "Quick",
    "Results",
    "RunRecord",
    "SearchSpace",
    "Study",
    "Sweep",
    "Trial",
    "default_space",
    "sweep",
]

# What a sweep needs is imported when it is first asked for.
_LAZY = {
    "Dimension": "_space",
    "SearchSpace": "_space",
    "Sweep": "_sweep_result",
    "Trial": "_sweep_result",
    "default_space": "_space",
    "sweep": "_sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
