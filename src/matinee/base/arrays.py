"""Names of array types by the type of their entries; bounds of rows, positions, arrays by name."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Float = npt.NDArray[np.floating[Any]]
"""Of either precision; a kernel with such an argument is compiled for each."""
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
UInt8 = npt.NDArray[np.uint8]
UInt64 = npt.NDArray[np.uint64]
Arrays = Mapping[str, Array]
"""Arrays by name."""
State = tuple[dict[str, Array], dict[str, Any]]
"""Arrays by name, and JSON-serialisable values: what is saved of a model, or of a part of it."""


def as_array(values: Any) -> Array:
    """Return what has ``__array__``, such as a column of Arrow or polars or a tensor, as an array.

    Masked values become None in an object array.
    """
    try:
        array = np.asanyarray(values)
    except (TypeError, RuntimeError):  # A tensor with gradients, or of a type NumPy does not have.
        array = np.array(values.tolist())
    if not isinstance(array, np.ma.MaskedArray):
        return np.asarray(array)
    gaps, objects = np.ma.getmaskarray(array), np.asarray(array.data).astype(object)
    objects[gaps] = None
    return objects if gaps.any() else np.asarray(array.data)


_SINGLE = frozenset({str, bytes, int, float, bool, type(None)})


def nested(values: Array) -> Mask:
    """Return which objects are a list, a mapping, an array or the like, so that they are no ids.

    Args:
        values: object (n,).

    Returns:
        bool (n,).
    """
    if set(map(type, values)) <= _SINGLE:  # asking each of a million takes half a second
        return np.zeros(len(values), dtype=np.bool_)
    kinds = (list, tuple, Mapping, Set)
    mask = (isinstance(each, kinds) or getattr(each, "ndim", 0) > 0 for each in values)
    return np.fromiter(mask, dtype=np.bool_, count=len(values))


def row_bounds(counts: Array) -> Int64:
    """Return where each row's entries begin and the last one's end, int64 (rows + 1,).

    Args:
        counts: Entries of each row, whole numbers, shape (rows,).
    """
    out = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def evenly_spaced(n: int, size: int) -> Int64:
    """Return at most ``size`` positions among ``n``, evenly spaced and ascending, int64."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, size)).astype(np.int64))


def without_prefix(prefix: str, arrays: Arrays) -> dict[str, Array]:
    """Return the arrays whose names begin with a prefix, by the rest of their names."""
    return {n.removeprefix(prefix): each for n, each in arrays.items() if n.startswith(prefix)}
