"""Training: presets, optimisers, the loop, checkpoints.

What needs torch is imported when it is first asked for: a server does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily
from ._bias import BiasTable, column_means, fit_bias
from ._config import Member, Settings, TrainConfig, validation_share
from ._distributed import Group
from ._presets import member_settings, preset, preset_names

if TYPE_CHECKING:
    from ._blend import Blend, fit_blend
    from ._center import center_columns
    from ._checkpoint import RunFolder, drop_checkpoints, share
    from ._holdout import Holdout, carve, carve_ratings, carve_rows, part
    from ._lessons import Lessons, Teacher
    from ._loop import Epoch, Run, train
    from ._measure import MEASURES
    from ._shrink import fit_shrinkage, shrink_to_bias

__all__ = [
    "MEASURES",
    "BiasTable",
    "Blend",
    "Epoch",
    "Group",
    "Holdout",
    "Lessons",
    "Member",
    "Run",
    "RunFolder",
    "Settings",
    "Teacher",
    "TrainConfig",
    "carve",
    "carve_ratings",
    "carve_rows",
    "center_columns",
    "column_means",
    "drop_checkpoints",
    "fit_bias",
    "fit_blend",
    "fit_shrinkage",
    "member_settings",
    "part",
    "preset",
    "preset_names",
    "share",
    "shrink_to_bias",
    "train",
    "validation_share",
]

_HOMES = {
    "_blend": ("Blend", "fit_blend"),
    "_center": ("center_columns",),
    "_checkpoint": ("RunFolder", "drop_checkpoints", "share"),
    "_holdout": ("Holdout", "carve", "carve_ratings", "carve_rows", "part"),
    "_lessons": ("Lessons", "Teacher"),
    "_loop": ("Epoch", "Run", "train"),
    "_measure": ("MEASURES",),
    "_shrink": ("fit_shrinkage", "shrink_to_bias"),
}
__getattr__ = lazily(__name__, _HOMES)
