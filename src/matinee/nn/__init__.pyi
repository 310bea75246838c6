from ._config import NetworkConfig as NetworkConfig
from ._forward import Forward as Forward
from ._middle import Middle as Middle, shares_products as shares_products
from ._onnx import build_onnx as build_onnx
from ._predict import (
    encode_rows as encode_rows,
    predict_entries as predict_entries,
    row_biases as row_biases,
)
from ._row_outputs import (
    CENTRING as CENTRING,
    FEW as FEW,
    RowOutputs as RowOutputs,
    row_length as row_length,
    row_scale as row_scale,
)
from ._single_row import single_row_statistics as single_row_statistics
from .blocks import ColumnBlocks as ColumnBlocks
from .inputs import (
    ROWS_PER_COLUMN as ROWS_PER_COLUMN,
    Batch as Batch,
    Inputs as Inputs,
    make_inputs as make_inputs,
)
from .network import Network as Network
from .sparse.columns import (
    Columns as Columns,
    Transposer as Transposer,
    sum_by_column as sum_by_column,
)
from .sparse.gather import weighted_rows as weighted_rows
from .sparse.kernels import add_weighted as add_weighted
