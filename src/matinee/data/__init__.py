"""Any table in, one ``Ratings`` out."""

from ._group import Csr, group
from ._histories import Histories
from ._ratings import ItemTable, Ratings, Scale
from ._vocabulary import Ids, Vocabulary

__all__ = ["Csr", "Histories", "Ids", "ItemTable", "Ratings", "Scale", "Vocabulary", "group"]
