"""Tables in blocks of columns, streamed between the processes and the first, some rows at a time.

The first process writes a checkpoint that is the same as that of a process alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.arrays import Array, Float, Int64

if TYPE_CHECKING:  # a model is loaded without torch
    from ...nn import ColumnBlocks, Network

_DIVIDED = re.compile(r"(?:^|\.)table(?:(_in|0\.[mv])|_out|1\.[mv])$")
"""Names of arrays of which each process has some columns: tables, and their moments."""
_KINDS = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "uint8": "U8"}


def width_of(name: str, network: Network) -> int | None:
    """Return the whole width of an array of which this process has some columns, else None."""
    found = _DIVIDED.search(name)
    if network.blocks is None or found is None:
        return None
    return network.config.hidden[0 if found[1] else -1]


def whole_arrays(network: Network) -> dict[str, Array]:
    """Return ``network.arrays()`` with whole tables in the first process.

    With tables in blocks it must be called in every process; the others get their own columns only.
    """
    arrays = network.arrays()
    for name, part in arrays.items():
        width = width_of(name, network)
        if network.blocks is None or width is None:
            continue
        first = network.blocks.group.rank == 0
        whole = np.empty((len(part), width), part.dtype) if first else None
        at = 0
        for rows in _sent(network.blocks, part, width):
            if whole is not None:
                whole[at : at + len(rows)] = rows
            at += len(rows)
        if whole is not None:
            arrays[name] = whole
    return arrays


def write_arrays(
    path: Path | None, arrays: Mapping[str, Array], notes: Mapping[str, str], network: Network
) -> None:
    """Write arrays of all processes as a safetensors file; to be called in every process.

    Args:
        path: The file, in the first process; None in the others.
        arrays: By name, those of tables as this process's columns.
        notes: The file's metadata.
        network: With tables in blocks.
    """
    assert network.blocks is not None
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(notes)}
    end = 0
    for name in names:
        array, width = arrays[name], width_of(name, network)
        shape = list(array.shape) if width is None else [len(array), width]
        begin, end = end, end + int(np.prod(shape, dtype=np.int64)) * array.itemsize
        kind = _KINDS[array.dtype.name]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file = None if path is None else path.open("wb")
    try:
        if file is not None:
            file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            width = width_of(name, network)
            whole = [arrays[name]] if width is None else _sent(network.blocks, arrays[name], width)
            for rows in whole:
                if file is not None:
                    file.write(np.ascontiguousarray(rows).tobytes())
    finally:
        if file is not None:
            file.close()


def spread(network: Network, shape: Sequence[int], table: Any) -> Float:
    """Return this process's columns of a table that the first reads; to be called in every process.

    Args:
        network: With tables in blocks, of the same dtype.
        shape: That of the whole table.
        table: Returns rows of it by a slice, in the first process; None in the others.
    """
    blocks, dtype = network.blocks, network.bias_out.detach().numpy().dtype
    assert blocks is not None
    rows, width = shape
    own = blocks.own(width)
    out = np.empty((rows, own.stop - own.start), dtype)
    for some in blocks.chunks(rows, width):
        size = some.stop - some.start
        given = np.empty((0, width), dtype) if table is None else table[some]
        out[some] = blocks.to_columns(given, size, _firsts(blocks, size))
    return out


def _sent(blocks: ColumnBlocks, part: Float, width: int) -> Iterator[Float]:
    """Send a table to the first process in chunks of rows, and yield these; empty in the others."""
    for some in blocks.chunks(len(part), width):
        yield blocks.to_rows(part[some], width, _firsts(blocks, some.stop - some.start))


def _firsts(blocks: ColumnBlocks, rows: int) -> Int64:
    """Return cuts of rows that are all the first process's."""
    cuts = np.full(blocks.group.size + 1, rows, dtype=np.int64)
    cuts[0] = 0
    return cuts
