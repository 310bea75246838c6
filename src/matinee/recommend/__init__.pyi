from ._active_learning import expected_change as expected_change
from ._implied_rating import implied_rating as implied_rating, is_constant as is_constant
from ._leave_one_out import (
    Predict as Predict,
    Reasons as Reasons,
    interest_reasons as interest_reasons,
    reasons as reasons,
)
from ._lift import lifts as lifts
from ._people import (
    HistoriesLike as HistoriesLike,
    History as History,
    People as People,
    Unknown as Unknown,
    code_people as code_people,
    refuse_unknown as refuse_unknown,
)
from ._projection import plane as plane
from ._rank import rank as rank
from ._ranking_score import (
    LARGEST_POWER as LARGEST_POWER,
    combined as combined,
    personalised as personalised,
    ranking_score as ranking_score,
    without_dislikes as without_dislikes,
)
from ._rerank import (
    diversify as diversify,
    most_alike as most_alike,
    shrink_few as shrink_few,
    unit_rows as unit_rows,
)
from ._title_keys import words as words
from ._title_prefixes import TitlePrefixes as TitlePrefixes
from ._titles import Titled as Titled, TitleIndex as TitleIndex
