"""Any table in, one ``Ratings`` out."""

from ._atomic import atomic_path
from ._catalogue import CATALOGUE, Dataset
from ._download import get
from ._fingerprint import fingerprint
from ._group import Csr, group
from ._histories import Histories
from ._home import add, data_home, forget, locate, registered
from ._ratings import ItemTable, Ratings, Scale
from ._split import FoldIn, kfold, split, split_three, split_users
from ._synth import Synthetic, SynthManifest, read_manifest, synthesize, write_synthetic
from ._synth_world import SynthConfig, World
from ._table import Table, write_tables
from ._vocabulary import Ids, Vocabulary

__all__ = [
    "CATALOGUE",
    "Csr",
    "Dataset",
    "FoldIn",
    "Histories",
    "Ids",
    "ItemTable",
    "Ratings",
    "Scale",
    "SynthConfig",
    "SynthManifest",
    "Synthetic",
    "Table",
    "Vocabulary",
    "World",
    "add",
    "atomic_path",
    "data_home",
    "fingerprint",
    "forget",
    "get",
    "group",
    "kfold",
    "locate",
    "read_manifest",
    "registered",
    "split",
    "split_three",
    "split_users",
    "synthesize",
    "write_synthetic",
    "write_tables",
]
