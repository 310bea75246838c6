from ._beginnings import Beginnings as Beginnings
from ._both import interest_and_preference as interest_and_preference
from ._people import (
    HistoriesLike as HistoriesLike,
)
from ._people import (
    History as History,
)
from ._people import (
    People as People,
)
from ._people import (
    Unknown as Unknown,
)
from ._people import (
    code_people as code_people,
)
from ._people import (
    refuse_unknown as refuse_unknown,
)
from ._plane import plane as plane
from ._profile import lifts as lifts
from ._rerank import (
    diversify as diversify,
)
from ._rerank import (
    most_alike as most_alike,
)
from ._rerank import (
    shrink_few as shrink_few,
)
from ._rerank import (
    unit_rows as unit_rows,
)
from ._teach import teaching as teaching
from ._title_keys import split_year as split_year
from ._titles import Titled as Titled
from ._titles import TitleIndex as TitleIndex
from ._topk import rank as rank
from ._topk import top_k as top_k
from ._unrated import is_constant as is_constant
from ._unrated import unrated as unrated
from ._why import Predict as Predict
from ._why import Reasons as Reasons
from ._why import reasons as reasons
