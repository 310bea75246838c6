from ._export import export_items as export_items
from ._export import export_onnx as export_onnx
from ._factory import model as model
from .base import Recommender as Recommender
from .folder.manifest import read_manifest as read_manifest
from .folder.provenance import Provenance as Provenance
from .folder.read import load_model as load_model
from .folder.write import check_place as check_place
from .inspect import Neighbours as Neighbours
from .inspect import breakdown as breakdown
from .inspect import neighbours as neighbours
from .kinds.baselines import (
    Bias as Bias,
)
from .kinds.baselines import (
    GlobalMean as GlobalMean,
)
from .kinds.baselines import (
    ItemMean as ItemMean,
)
from .kinds.baselines import (
    UserMean as UserMean,
)
from .kinds.biased_mf import BiasedMF as BiasedMF
from .networks.autoencoder import Autoencoder as Autoencoder
from .networks.ensemble import Ensemble as Ensemble
from .one_shot import EpochLog as EpochLog
from .one_shot import OneShot as OneShot
from .presets import (
    member_settings as member_settings,
)
from .presets import (
    preset as preset,
)
from .presets import (
    preset_names as preset_names,
)
from .registry import ModelKind as ModelKind
from .registry import kind_named as kind_named
from .registry import model_kinds as model_kinds
from .settings import Member as Member
from .settings import Settings as Settings
from .support import (
    ItemVectors as ItemVectors,
)
from .support import (
    item_counts as item_counts,
)
from .support import (
    item_vectors as item_vectors,
)
from .trainable import Trainable as Trainable
