"""The network: sparse kernels, layers, losses. Cost is by ratings, never users x items.

What needs torch is imported when it is first asked for: a server does without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._lazy import lazily
from ._config import NetworkConfig
from ._forward import Forward
from ._row_outputs import CENTRING, FEW, RowOutputs, row_length, row_scale

if TYPE_CHECKING:
    from . import _kernels as kernels
    from . import _reference as reference
    from ._columns import Columns, Transposer, sum_by_column
    from ._inputs import Batch, Inputs, fit_inputs
    from ._kernel_net import KernelNet, Observed
    from ._kernels import add_weighted
    from ._middle import Middle
    from ._network import Network
    from ._onnx import build_onnx
    from ._predict import (
        decode_vectors,
        encode_rows,
        predict_entries,
        predict_rows,
        row_biases,
    )
    from ._single_row import single_row_statistics

__all__ = [
    "CENTRING",
    "FEW",
    "Batch",
    "Columns",
    "Forward",
    "Inputs",
    "KernelNet",
    "Middle",
    "Network",
    "NetworkConfig",
    "Observed",
    "RowOutputs",
    "Transposer",
    "add_weighted",
    "build_onnx",
    "decode_vectors",
    "encode_rows",
    "fit_inputs",
    "kernels",
    "predict_entries",
    "predict_rows",
    "reference",
    "row_biases",
    "row_length",
    "row_scale",
    "single_row_statistics",
    "sum_by_column",
]

_HOMES = {
    "_columns": ("Columns", "Transposer", "sum_by_column"),
    "_inputs": ("Batch", "Inputs", "fit_inputs"),
    "_kernel_net": ("KernelNet", "Observed"),
    "_kernels": ("add_weighted",),
    "_middle": ("Middle",),
    "_network": ("Network",),
    "_onnx": ("build_onnx",),
    "_predict": (
        "decode_vectors",
        "encode_rows",
        "predict_entries",
        "predict_rows",
        "row_biases",
    ),
    "_single_row": ("single_row_statistics",),
}
_find = lazily(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    if name in ("kernels", "reference"):
        return import_module(f"._{name}", __name__)
    return _find(name)
