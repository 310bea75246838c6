from .bspm import BspmFilter as BspmFilter, fit_bspm as fit_bspm
from .config import (
    BspmConfig as BspmConfig,
    IalsConfig as IalsConfig,
    ItemKnnConfig as ItemKnnConfig,
)
from .ials import ItemFactors as ItemFactors, fit_ials as fit_ials
from .knn import fit_item_knn as fit_item_knn
