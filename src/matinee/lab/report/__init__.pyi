from ._comparison_page import (
    comparison_sheets as comparison_sheets,
    example_sheets as example_sheets,
    write_comparison as write_comparison,
)
from ._model_page import ModelReport as ModelReport, write_model_report as write_model_report
from ._online_page import online_sheets as online_sheets, write_online as write_online
from ._publish import publish_study as publish_study
from ._study_page import StudyReport as StudyReport, write_study_report as write_study_report
