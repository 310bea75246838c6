from ._config import NetworkConfig as NetworkConfig
from ._forward import Forward as Forward
from ._middle import Middle as Middle
from ._onnx import build_onnx as build_onnx
from ._predict import (
    decode_vectors as decode_vectors,
)
from ._predict import (
    encode_rows as encode_rows,
)
from ._predict import (
    predict_entries as predict_entries,
)
from ._predict import (
    predict_rows as predict_rows,
)
from ._predict import (
    row_biases as row_biases,
)
from ._row_outputs import (
    CENTRING as CENTRING,
)
from ._row_outputs import (
    FEW as FEW,
)
from ._row_outputs import (
    RowOutputs as RowOutputs,
)
from ._row_outputs import (
    row_length as row_length,
)
from ._row_outputs import (
    row_scale as row_scale,
)
from ._single_row import single_row_statistics as single_row_statistics
from .inputs import Batch as Batch
from .inputs import Inputs as Inputs
from .inputs import fit_inputs as fit_inputs
from .network import Network as Network
from .sparse.columns import (
    Columns as Columns,
)
from .sparse.columns import (
    Transposer as Transposer,
)
from .sparse.columns import (
    sum_by_column as sum_by_column,
)
from .sparse.kernels import add_weighted as add_weighted
