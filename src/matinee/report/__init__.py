"""Reports: one self-contained HTML file for a study, or for a trained model; charts as SVG.

It computes nothing: what is shown comes from ``study``, ``evaluate`` and ``models``.
"""

from typing import TYPE_CHECKING

from .._lazy import lazily

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
_HOMES = {
    "_model_page": ("ModelReport", "write_model_report"),
    "_publish": ("publish_study",),
    "_study_page": ("StudyReport", "write_study_report"),
}
__getattr__ = lazily(__name__, _HOMES)
