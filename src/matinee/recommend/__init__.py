"""From predictions to lists: fold-in, titles, top-k, tables."""

from ._people import HistoriesLike, History, People, Unknown, code_people, refuse_unknown
from ._titles import Titled, TitleIndex
from ._topk import rank, top_k

__all__ = [
    "HistoriesLike",
    "History",
    "People",
    "TitleIndex",
    "Titled",
    "Unknown",
    "code_people",
    "rank",
    "refuse_unknown",
    "top_k",
]
