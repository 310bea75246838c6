"""Any table in, one ``Ratings`` out."""

from ._atomic import atomic_path
from ._audit import Audit, audit, audit_files
from ._catalogue import CATALOGUE, Dataset
from ._describe import Description, describe, training_mib
from ._download import get
from ._fingerprint import fingerprint
from ._group import Csr, group
from ._histories import Histories
from ._home import add, data_home, forget, locate, registered
from ._load import load
from ._named_split import (
    NAMED_SPLITS,
    NamedParts,
    NamedSplit,
    join,
    named_parts,
    named_split,
    share_vocabularies,
)
from ._ratings import ItemTable, Ratings, Scale
from ._split import FoldIn, kfold, split, split_three, split_users
from ._split_files import split_files, write_split
from ._subtract import subtract
from ._synth import Synthetic, SynthManifest, read_manifest, synthesize, write_synthetic
from ._synth_world import SynthConfig, World
from ._table import Table, write_tables
from ._vocabulary import Ids, Vocabulary
from ._windows import Window, window_split

__all__ = [
    "CATALOGUE",
    "NAMED_SPLITS",
    "Audit",
    "Csr",
    "Dataset",
    "Description",
    "FoldIn",
    "Histories",
    "Ids",
    "ItemTable",
    "NamedParts",
    "NamedSplit",
    "Ratings",
    "Scale",
    "SynthConfig",
    "SynthManifest",
    "Synthetic",
    "Table",
    "Vocabulary",
    "Window",
    "World",
    "add",
    "atomic_path",
    "audit",
    "audit_files",
    "data_home",
    "describe",
    "fingerprint",
    "forget",
    "get",
    "group",
    "join",
    "kfold",
    "load",
    "locate",
    "named_parts",
    "named_split",
    "read_manifest",
    "registered",
    "share_vocabularies",
    "split",
    "split_files",
    "split_three",
    "split_users",
    "subtract",
    "synthesize",
    "training_mib",
    "window_split",
    "write_split",
    "write_synthetic",
    "write_tables",
]
