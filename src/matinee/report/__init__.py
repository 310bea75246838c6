"""Reports: one self-contained HTML file for a study, or for a trained model; charts as SVG.

It computes nothing: what is shown comes from ``study``, ``evaluate`` and ``models``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._model_page import ModelReport, write_model_report
    from ._publish import publish_study
    from ._study_page import StudyReport, write_study_report

__all__ = [
    "ModelReport",
    "StudyReport",
    "publish_study",
    "write_model_report",
    "write_study_report",
]

# A model's report needs no study, and a study's no model.
_LAZY = {
    "ModelReport": "_model_page",
    "StudyReport": "_study_page",
    "publish_study": "_publish",
    "write_model_report": "_model_page",
    "write_study_report": "_study_page",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
