"""Shrink a network's say towards the bias model's, as far as held-out ratings ask for.

With few ratings a row, or little dropout, a network's deviations from the bias model are part
noise. Least squares on a validation part gives the share of them to believe, between 0 and 1. A
network that was trained on random parts of rows also deviates too much where the row is long, too
little where it is short: a second coefficient, of the deviations times the row's length
(``row_length``), tells by how much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from ..base.arrays import Float32, Float64, Int32, Int64
from ..data import Csr
from ..nn import FEW, Inputs, Network, row_biases, row_length, row_scale


class HeldOut(Protocol):
    """Held-out entries by row, as ``Holdout`` has them."""

    @property
    def rows(self) -> Int64:
        """The rows that have any, shape (n,)."""

    @property
    def indptr(self) -> Int64:
        """Where the entries of each begin, shape (n + 1,)."""

    @property
    def columns(self) -> Int32:
        """Shape (entries,)."""

    @property
    def values(self) -> Float32:
        """The ratings given, shape (entries,)."""

    def predict(self, network: Network, inputs: Inputs, known: Csr) -> Float64:
        """Predictions of each entry, not clipped."""


SLOPE, SPREAD = -0.12, 0.1
"""The slope that is expected, and give or take how much: few held-out ratings cannot tell another.
Parts of MovieLens-1M, at random or by time, ask for -0.14 to -0.18 (benchmarks/row_outputs.py)."""


DOUBT = 4.0
"""Squared standard errors that count for nothing. On small or sparse synthetic data 1 let chance
make models that were up to 0.007 behind the bias model, 4 at most 0.0005; where tastes show it
costs nothing (benchmarks/doubt.py)."""


def believable(deviation: Float64, wanted: Float64) -> float:
    """The share, 0 to 1, of some deviations to believe: what comes nearest to the wanted ones.

    It is less what chance may have made of it: see ``trusted``.
    """
    power = float(np.dot(deviation, deviation))
    share = float(np.dot(deviation, wanted)) / power if power > 0 else 1.0
    noise = float(np.mean(np.square(wanted - share * deviation))) if len(wanted) else 0.0
    return trusted(share, power, noise)


def trusted(share: float, power: float, noise: float) -> float:
    """What to believe of a share that least squares found: 0 to 1.

    Within two standard errors of 0 it is nothing, at three it is 5/9 of it, and so on to all of it:
    the positive-part rule of James & Stein (1961), with ``DOUBT`` for its factor.

    Args:
        share: The share, as found.
        power: Sum of the squared deviations that it was found by.
        noise: Mean squared error of what is left.
    """
    if share <= 0.0:
        return 0.0
    chance = noise / (power * share**2) if power > 0 else 0.0
    return min(share * max(1.0 - DOUBT * chance, 0.0), 1.0)


@dataclass(frozen=True)
class Shrinkage:
    """How much of a network's deviations to believe.

    Attributes:
        share: Of all, 0 to 1.
        slope: How much more, relative to ``share``, for each unit of a row's length.
        pivot: Where the length is 0, and all is ``share``.
    """

    share: float
    slope: float
    pivot: float


def bias_part(inputs: Inputs, known: Csr, held: HeldOut) -> Float64:
    """What the bias model says of each held-out entry, float64 (entries,)."""
    own = row_biases(inputs, known, held.rows)
    both = inputs.offset[held.columns] + np.repeat(own, np.diff(held.indptr))
    return both.astype(np.float64)


class Deviations:
    """A network's deviations from the bias model at held-out entries, before any shrinking.

    Args:
        network: With ``center = "bias"`` and a linear, untied output.
        inputs: Its input recipe, with no slope as yet.
        known: The training ratings by row.
        held: The validation part.
        base: ``bias_part`` of these.
    """

    def __init__(
        self, network: Network, inputs: Inputs, known: Csr, held: HeldOut, base: Float64
    ) -> None:
        counts = np.diff(held.indptr)
        self._base, self._wanted = base, held.values - base
        self._all = held.predict(network, inputs, known) - base
        # What a row's length scales is its vector's part; the output's biases stay.
        bias = network.bias_out.detach().cpu().numpy()
        self._vectors = self._all - bias[held.columns]
        if inputs.outputs.centred:
            mean = inputs.outputs.mean(bias[known.indices], known.indptr)
            self._vectors += np.repeat(mean[held.rows], counts)
        shown = np.repeat(known.counts[held.rows], counts)
        self._pivot = float(np.log(np.maximum(shown, FEW)).mean())
        self._lengths = row_length(shown, self._pivot)

    def fit(self) -> Shrinkage:
        """What the held-out ratings ask for."""
        share = believable(self._all, self._wanted)
        noise = float(np.mean(np.square(self._wanted - share * self._all)))
        if share == 0.0 or noise == 0.0:
            return Shrinkage(share, 0.0, self._pivot)
        tilt = self._lengths * self._vectors
        columns = np.column_stack([self._all + SLOPE * tilt, tilt])
        power = columns.T @ columns
        power[1, 1] += noise / (SPREAD * share) ** 2
        first, second = np.linalg.lstsq(power, columns.T @ self._wanted)[0]
        share = trusted(float(first), float(power[0, 0]), noise)
        if share == 0.0:
            return Shrinkage(0.0, 0.0, self._pivot)
        return Shrinkage(share, SLOPE + float(second / first), self._pivot)

    def shrunk(self, fit: Shrinkage) -> Float64:
        """Predictions after shrinking, float64 (entries,), not clipped."""
        further = row_scale(self._lengths, fit.slope) - 1.0
        told: Float64 = self._base + fit.share * (self._all + further * self._vectors)
        return told


def fit_shrinkage(
    network: Network, inputs: Inputs, known: Csr, held: HeldOut
) -> tuple[float, Inputs]:
    """The believable share of a network's deviations, and its recipe with the slope.

    Args:
        network: With ``center = "bias"`` and a linear, untied output.
        inputs: Its input recipe.
        known: The training ratings by row.
        held: The validation part.
    """
    fit = Deviations(network, inputs, known, held, bias_part(inputs, known, held)).fit()
    outputs = replace(inputs.outputs, slope=fit.slope, pivot=fit.pivot)
    return fit.share, replace(inputs, outputs=outputs)


def shrink_to_bias(
    network: Network, inputs: Inputs, known: Csr, held: HeldOut, *, whole: bool = False
) -> tuple[float, Inputs]:
    """Multiply the believable share into the network's last layer.

    Args:
        network: With ``center = "bias"`` and a linear, untied output; changed in place.
        inputs: Its input recipe.
        known: The training ratings by row.
        held: The validation part.
        whole: Whether to leave the share at 1, for an ensemble that has shares of its own.

    Returns:
        The share, and the recipe with the slope.
    """
    share, inputs = fit_shrinkage(network, inputs, known, held)
    if whole:
        return 1.0, inputs
    with torch.no_grad():
        network.table_out.mul_(share)
        network.bias_out.mul_(share)
    return share, inputs
