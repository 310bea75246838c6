"""Any table in, one ``Ratings`` out."""

from ._atomic import atomic_path
from ._catalogue import CATALOGUE, Dataset
from ._download import get
from ._group import Csr, group
from ._histories import Histories
from ._home import add, data_home, forget, locate, registered
from ._ratings import ItemTable, Ratings, Scale
from ._vocabulary import Ids, Vocabulary

__all__ = [
    "CATALOGUE",
    "Csr",
    "Dataset",
    "Histories",
    "Ids",
    "ItemTable",
    "Ratings",
    "Scale",
    "Vocabulary",
    "add",
    "atomic_path",
    "data_home",
    "forget",
    "get",
    "group",
    "locate",
    "registered",
]
