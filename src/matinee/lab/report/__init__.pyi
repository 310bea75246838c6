from ._model_page import ModelReport as ModelReport
from ._model_page import write_model_report as write_model_report
from ._publish import publish_study as publish_study
from ._study_page import StudyReport as StudyReport
from ._study_page import write_study_report as write_study_report
