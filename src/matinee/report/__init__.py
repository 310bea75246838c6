"""Reports: one self-contained HTML file for a study, or for a trained model; charts as SVG.

It computes nothing: what is shown comes from ``study`` and ``evaluate``.
"""

from ._study_page import StudyReport, write_study_report

__all__ = ["StudyReport", "write_study_report"]
