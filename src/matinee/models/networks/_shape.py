"""Checks saved arrays against the settings of a network, before memory is allocated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...baseline.ordinal import OrdinalLink
from ...nn import ROWS_PER_COLUMN, NetworkConfig, RowOutputs


def saved_outputs(values: Mapping[str, Any]) -> RowOutputs:
    """The row outputs of a saved configuration.

    Raises:
        TypeError, ValueError: A value is not a finite number, or has an unknown name.
    """
    options = {name: float(value) for name, value in values.items()}
    if not np.isfinite(list(options.values())).all():
        raise ValueError(f"outputs that are not finite: {options}")
    return RowOutputs(**options)


def saved_link(config: NetworkConfig, values: Mapping[str, Any] | None) -> OrdinalLink | None:
    """The link of a saved configuration; None where outputs are ratings.

    Raises:
        TypeError, ValueError: There is none of ordinal outputs, or its values are not those of one.
    """
    if config.output != "ordinal":
        return None
    if values is None:
        raise ValueError("ordinal outputs without thresholds")
    return OrdinalLink.of(values)


def check_shape(
    config: NetworkConfig,
    columns: int,
    arrays: Mapping[str, npt.NDArray[Any]],
    offset: npt.NDArray[np.float32],
) -> None:
    """Check that arrays have the shapes that the settings imply.

    Args:
        config: The settings.
        columns: Columns of the network.
        arrays: ``Network.arrays()``.
        offset: ``Inputs.offset``.

    Raises:
        ValueError: A shape differs.
    """
    if not isinstance(columns, int) or offset.shape != (columns,):
        raise ValueError(f"offsets of shape {offset.shape} for {columns!r} columns")
    rows = columns * ROWS_PER_COLUMN[config.input]
    expected = {"table_in": (rows, config.hidden[0]), "bias_out": (columns,)}
    if not config.tied:
        expected["table_out"] = (columns, config.hidden[-1])
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {shape}")
    widths = {width for array in arrays.values() for width in array.shape}
    for width in config.hidden:
        if width not in widths:
            raise ValueError(f"a layer of {width:,} units, for which there are no weights")
