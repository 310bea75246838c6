"""The network: sparse kernels, layers, losses. Cost is by ratings, never users x items."""

from . import _kernels as kernels
from . import _reference as reference
from ._columns import Columns, Transposer, sum_by_column
from ._config import NetworkConfig
from ._inputs import Batch, Inputs, fit_inputs
from ._kernels import add_weighted
from ._middle import Middle
from ._network import Network
from ._predict import (
    decode_vectors,
    encode_rows,
    predict_entries,
    predict_rows,
    row_biases,
)

__all__ = [
    "Batch",
    "Columns",
    "Inputs",
    "Middle",
    "Network",
    "NetworkConfig",
    "Transposer",
    "add_weighted",
    "decode_vectors",
    "encode_rows",
    "fit_inputs",
    "kernels",
    "predict_entries",
    "predict_rows",
    "reference",
    "row_biases",
    "sum_by_column",
]
