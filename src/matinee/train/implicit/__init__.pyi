from .bspm import BspmFilter as BspmFilter, fit_bspm as fit_bspm
from .bspm_config import BspmConfig as BspmConfig
from .ials import ItemFactors as ItemFactors, fit_ials as fit_ials
from .ials_config import IalsConfig as IalsConfig
from .knn import fit_item_knn as fit_item_knn
from .knn_config import ItemKnnConfig as ItemKnnConfig
