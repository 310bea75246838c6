"""Batch normalisation with the batch statistics of one row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .network import Network


@contextmanager
def single_row_statistics(network: Network) -> Iterator[None]:
    """Normalise every row by its own statistics, as a batch of one, inside the ``with`` block.

    A row's mean over itself is the row and its variance 0, so each normalisation yields only its
    shift: a network evaluated like this gives all users the same predictions. This is what a script
    does that leaves batch norm in training mode and scores one row at a time. It is implemented by
    setting scales to 0 temporarily.
    """
    scales: list[torch.Tensor] = [norm.get_parameter("weight") for norm in network.norms]
    kept = [scale.detach().clone() for scale in scales]
    try:
        with torch.no_grad():
            for scale in scales:
                scale.zero_()
        yield
    finally:
        with torch.no_grad():
            for scale, values in zip(scales, kept, strict=True):
                scale.copy_(values)
