"""From predictions to lists: fold-in, titles, top-k, tables, and what can be said about them."""

from ._beginnings import Beginnings
from ._people import HistoriesLike, History, People, Unknown, code_people, refuse_unknown
from ._plane import plane
from ._profile import lifts
from ._rerank import diversify, most_alike, shrink_few, unit_rows
from ._teach import teaching
from ._title_keys import split_year
from ._titles import Titled, TitleIndex
from ._topk import rank, top_k
from ._why import Predict, Reasons, reasons

__all__ = [
    "Beginnings",
    "HistoriesLike",
    "History",
    "People",
    "Predict",
    "Reasons",
    "TitleIndex",
    "Titled",
    "Unknown",
    "code_people",
    "diversify",
    "lifts",
    "most_alike",
    "plane",
    "rank",
    "reasons",
    "refuse_unknown",
    "shrink_few",
    "split_year",
    "teaching",
    "top_k",
    "unit_rows",
]
