"""Parts of a saved network, checked before memory is allocated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...base.arrays import Array
from ...baseline.ordinal import OrdinalLink
from ...nn import Inputs, NetworkConfig, RowOutputs


def saved_outputs(values: Mapping[str, Any]) -> RowOutputs:
    """Return the row outputs of a saved configuration.

    Raises:
        TypeError, ValueError: A value is not a finite number, or has an unknown name.
    """
    options = {name: float(value) for name, value in values.items()}
    if not np.isfinite(list(options.values())).all():
        raise ValueError(f"outputs that are not finite: {options}")
    return RowOutputs(**options)


def saved_link(config: NetworkConfig, values: Mapping[str, Any] | None) -> OrdinalLink | None:
    """Return the link of a saved configuration; None if outputs are ratings.

    Raises:
        TypeError, ValueError: Ordinal outputs have no link, or its values are invalid.
    """
    if config.output != "ordinal":
        return None
    if values is None:
        raise ValueError("ordinal outputs without thresholds")
    return OrdinalLink.of(values)


def check_shape(
    config: NetworkConfig,
    columns: int,
    arrays: Mapping[str, Array],
    inputs: Inputs,
) -> None:
    """Check that arrays have the shapes that the settings imply.

    Raises:
        ValueError: A shape differs.
    """
    offset = inputs.offset
    if not isinstance(columns, int) or offset.shape != (columns,):
        raise ValueError(f"offsets of shape {offset.shape} for {columns!r} columns")
    expected = {"table_in": (inputs.table_rows, config.hidden[0]), "bias_out": (columns,)}
    if not config.tied:
        expected["table_out"] = (columns, config.hidden[-1])
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {shape}")
    widths = {width for array in arrays.values() for width in array.shape}
    for width in config.hidden:
        if width not in widths:
            raise ValueError(f"a layer of {width:,} units has no weights")
