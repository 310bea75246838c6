from ._baselines import (
    Bias as Bias,
)
from ._baselines import (
    GlobalMean as GlobalMean,
)
from ._baselines import (
    ItemMean as ItemMean,
)
from ._baselines import (
    UserMean as UserMean,
)
from ._biased_mf import BiasedMF as BiasedMF
from ._export import export_items as export_items
from ._export import export_onnx as export_onnx
from ._factory import model as model
from ._sparsefc import SparseFC as SparseFC
from .base import Recommender as Recommender
from .folder.folder import (
    check_place as check_place,
)
from .folder.folder import (
    load_model as load_model,
)
from .folder.folder import (
    read_manifest as read_manifest,
)
from .inspect import Neighbours as Neighbours
from .inspect import breakdown as breakdown
from .inspect import neighbours as neighbours
from .networks.autoencoder import Autoencoder as Autoencoder
from .networks.ensemble import Ensemble as Ensemble
from .provenance import Provenance as Provenance
from .support import (
    ItemVectors as ItemVectors,
)
from .support import (
    item_counts as item_counts,
)
from .support import (
    item_vectors as item_vectors,
)
