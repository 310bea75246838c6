from ._comparison_page import comparison_sheets as comparison_sheets
from ._comparison_page import example_sheets as example_sheets
from ._comparison_page import write_comparison as write_comparison
from ._model_page import ModelReport as ModelReport
from ._model_page import write_model_report as write_model_report
from ._publish import publish_study as publish_study
from ._study_page import StudyReport as StudyReport
from ._study_page import write_study_report as write_study_report
