from ._export import export_items as export_items, export_onnx as export_onnx
from .base import Recommender as Recommender
from .folder.forget import forget as forget
from .folder.manifest import identity as identity, read_manifest as read_manifest
from .folder.provenance import Provenance as Provenance
from .folder.read import load_identified as load_identified, load_model as load_model
from .folder.write import check_place as check_place
from .inspect import (
    LovePoint as LovePoint,
    Neighbours as Neighbours,
    breakdown as breakdown,
    by_love as by_love,
    evaluate_lists as evaluate_lists,
    neighbours as neighbours,
)
from .kinds.baselines import (
    Bias as Bias,
    GlobalMean as GlobalMean,
    ItemMean as ItemMean,
    UserMean as UserMean,
)
from .kinds.bayesian import BayesianFM as BayesianFM
from .kinds.biased_mf import BiasedMF as BiasedMF
from .networks.autoencoder import Autoencoder as Autoencoder
from .networks.ensemble import Ensemble as Ensemble
from .one_shot import EpochLog as EpochLog, OneShot as OneShot
from .presets import (
    member_settings as member_settings,
    preset as preset,
    preset_names as preset_names,
)
from .registry import ModelKind as ModelKind, kind_named as kind_named, model_kinds as model_kinds
from .settings import Member as Member, Settings as Settings
from .support import (
    ItemVectors as ItemVectors,
    item_counts as item_counts,
    item_vectors as item_vectors,
)
from .trainable import Trainable as Trainable, model as model
