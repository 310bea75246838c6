"""Shrinkage of a network's predictions towards the bias model, fitted on a validation part.

With b the bias model's prediction and d the network's deviation from it, predictions become
b + c d with a coefficient c between 0 and 1, fitted by least squares on validation ratings: with
few ratings per row, or little dropout, part of d is noise. A network trained on random parts of
rows also deviates too much for long rows and too little for short ones; a second coefficient, of d
times the row's length (``row_length``), corrects this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from ..base.arrays import Float32, Float64, Int32, Int64
from ..baseline.ordinal import expected_ratings
from ..data import Csr
from ..nn import FEW, Inputs, Network, row_biases, row_length, row_scale


class HeldOut(Protocol):
    """Held-out entries by row, as ``Holdout`` has them."""

    @property
    def rows(self) -> Int64:
        """The rows with held-out entries, shape (n,)."""

    @property
    def indptr(self) -> Int64:
        """Position of the first entry of each row, shape (n + 1,)."""

    @property
    def columns(self) -> Int32:
        """Column of each entry, shape (entries,)."""

    @property
    def values(self) -> Float32:
        """Rating of each entry, shape (entries,)."""

    def predict(self, network: Network, inputs: Inputs, known: Csr) -> Float64:
        """Return unclipped predictions of the entries, shape (entries,)."""


PRIOR_SLOPE, PRIOR_STD = -0.12, 0.1
"""Mean and standard deviation of the prior on the slope. Fits on parts of MovieLens-1M, at random
or by time, gave -0.14 to -0.18 (benchmarks/row_outputs.py)."""

STEIN_FACTOR = 4.0
"""Factor of the positive-part rule: coefficients below the root of this many standard errors
become 0. On small or sparse synthetic data, 1 gave models with an RMSE up to 0.007 above the bias
model's, 4 at most 0.0005; on data with user-item interactions it makes no difference
(benchmarks/shrinkage_factor.py)."""


def shrinkage_coefficient(deviation: Float64, target: Float64) -> float:
    """Return the least-squares coefficient of target on deviation, shrunk and clipped to 0 to 1.

    Args:
        deviation: Predicted deviations from the bias model, (n,).
        target: Actual deviations, (n,).
    """
    power = float(np.dot(deviation, deviation))
    coefficient = float(np.dot(deviation, target)) / power if power > 0 else 1.0
    noise = float(np.mean(np.square(target - coefficient * deviation))) if len(target) else 0.0
    return positive_part(coefficient, power, noise)


def positive_part(coefficient: float, power: float, noise: float) -> float:
    """Shrink a least-squares coefficient by its standard error s, and clip it to 0 to 1.

    Returns c max(0, 1 - ``STEIN_FACTOR`` (s / c)^2), the positive-part rule (James & Stein 1961).

    Args:
        coefficient: The least-squares coefficient c.
        power: Sum of the squared regressors.
        noise: Mean squared residual; s^2 = noise / power.
    """
    if coefficient <= 0.0:
        return 0.0
    chance = noise / (power * coefficient**2) if power > 0 else 0.0
    return min(coefficient * max(1.0 - STEIN_FACTOR * chance, 0.0), 1.0)


@dataclass(frozen=True)
class Shrinkage:
    """Fitted shrinkage of a network's deviations from the bias model.

    Attributes:
        coefficient: The coefficient, 0 to 1.
        slope: Relative change of the coefficient per unit of a row's length.
        pivot: Log number of ratings at which the length is 0.
    """

    coefficient: float
    slope: float
    pivot: float


def bias_predictions(inputs: Inputs, known: Csr, held: HeldOut) -> Float64:
    """Return the bias model's prediction for each held-out entry, float64 (entries,)."""
    row_bias = row_biases(inputs, known, held.rows)
    predictions = inputs.offset[held.columns] + np.repeat(row_bias, np.diff(held.indptr))
    return predictions.astype(np.float64)


class Deviations:
    """A network's deviations from the bias model at validation entries, before shrinkage.

    Args:
        network: With ``center = "bias"`` and a linear, untied output.
        inputs: Its input encoding, without a slope.
        known: The training ratings by row.
        held: The validation part.
        base: ``bias_predictions`` of the validation part.
    """

    def __init__(
        self, network: Network, inputs: Inputs, known: Csr, held: HeldOut, base: Float64
    ) -> None:
        counts = np.diff(held.indptr)
        self._base, self._target = base, held.values - base
        self._link = inputs.link
        self._all = held.predict(network, inputs.latent, known) - base
        # The row's length scales the part due to its vector, not the output biases.
        bias = network.bias_out.detach().cpu().numpy()
        self._vectors = self._all - bias[held.columns]
        if inputs.outputs.centred:
            mean = inputs.outputs.mean(bias[known.indices], known.indptr)
            self._vectors += np.repeat(mean[held.rows], counts)
        shown = np.repeat(known.counts[held.rows], counts)
        self._pivot = float(np.log(np.maximum(shown, FEW)).mean())
        self._lengths = row_length(shown, self._pivot)

    def fit(self) -> Shrinkage:
        """Minimise the penalised squared error on the validation part."""
        coefficient = shrinkage_coefficient(self._all, self._target)
        noise = float(np.mean(np.square(self._target - coefficient * self._all)))
        if coefficient == 0.0 or noise == 0.0:
            return Shrinkage(coefficient, 0.0, self._pivot)
        tilt = self._lengths * self._vectors
        columns = np.column_stack([self._all + PRIOR_SLOPE * tilt, tilt])
        power = columns.T @ columns
        power[1, 1] += noise / (PRIOR_STD * coefficient) ** 2
        first, second = np.linalg.lstsq(power, columns.T @ self._target, rcond=None)[0]
        coefficient = positive_part(float(first), float(power[0, 0]), noise)
        if coefficient == 0.0:
            return Shrinkage(0.0, 0.0, self._pivot)
        return Shrinkage(coefficient, PRIOR_SLOPE + float(second / first), self._pivot)

    def shrunk(self, fit: Shrinkage) -> Float64:
        """Return unclipped predictions after shrinkage, float64 (entries,)."""
        further = row_scale(self._lengths, fit.slope) - 1.0
        scores = self._base + fit.coefficient * (self._all + further * self._vectors)
        return expected_ratings(scores, self._link)


def fit_shrinkage(
    network: Network, inputs: Inputs, known: Csr, held: HeldOut
) -> tuple[float, Inputs]:
    """Fit a network's shrinkage coefficient; also return its input encoding with the slope.

    Args:
        network: With ``center = "bias"`` and a linear, untied output.
        inputs: Its input encoding.
        known: The training ratings by row.
        held: The validation part.
    """
    fit = Deviations(network, inputs, known, held, bias_predictions(inputs, known, held)).fit()
    outputs = replace(inputs.outputs, slope=fit.slope, pivot=fit.pivot)
    return fit.coefficient, replace(inputs, outputs=outputs)


def shrink_to_bias(
    network: Network, inputs: Inputs, known: Csr, held: HeldOut, *, whole: bool = False
) -> tuple[float, Inputs]:
    """Multiply the shrinkage coefficient into the network's last layer.

    Args:
        network: With ``center = "bias"`` and a linear, untied output; changed in place.
        inputs: Its input encoding.
        known: The training ratings by row.
        held: The validation part.
        whole: Whether to keep the coefficient at 1, for an ensemble, which has its own weights.

    Returns:
        The coefficient, and the encoding with the slope.
    """
    coefficient, inputs = fit_shrinkage(network, inputs, known, held)
    if whole:
        return 1.0, inputs
    with torch.no_grad():
        network.table_out.mul_(coefficient)
        network.bias_out.mul_(coefficient)
    return coefficient, inputs
