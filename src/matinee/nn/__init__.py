"""The network: sparse kernels, layers, losses. Cost is by ratings, never users x items."""

from . import _kernels as kernels
from . import _reference as reference
from ._columns import Columns, Transposer, sum_by_column
from ._config import NetworkConfig
from ._inputs import Batch, Inputs, fit_inputs
from ._network import Network
from ._predict import encode_rows, predict_entries, predict_rows

__all__ = [
    "Batch",
    "Columns",
    "Inputs",
    "Network",
    "NetworkConfig",
    "Transposer",
    "encode_rows",
    "fit_inputs",
    "kernels",
    "predict_entries",
    "predict_rows",
    "reference",
    "sum_by_column",
]
