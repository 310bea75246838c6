from ._beginnings import Beginnings as Beginnings
from ._both import combined as combined, interest_and_preference as interest_and_preference
from ._people import (
    HistoriesLike as HistoriesLike,
    History as History,
    People as People,
    Unknown as Unknown,
    code_people as code_people,
    refuse_unknown as refuse_unknown,
)
from ._plane import plane as plane
from ._profile import lifts as lifts
from ._rerank import (
    diversify as diversify,
    most_alike as most_alike,
    shrink_few as shrink_few,
    unit_rows as unit_rows,
)
from ._teach import teaching as teaching
from ._title_keys import split_year as split_year
from ._titles import Titled as Titled, TitleIndex as TitleIndex
from ._topk import rank as rank, top_k as top_k
from ._unrated import is_constant as is_constant, unrated as unrated
from ._why import Predict as Predict, Reasons as Reasons, reasons as reasons
