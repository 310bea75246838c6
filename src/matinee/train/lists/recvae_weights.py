"""``RecVaeWeights``: a trained RecVAE in NumPy, for scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32
from ...data import Csr
from .weights import first_sums

LAYERS = 5
"""Layers of the encoder."""
EPSILON = 0.1
"""Added to the variance that a layer is normalised by."""


@dataclass(frozen=True, eq=False)
class RecVaeWeights:
    """A trained RecVAE.

    Attributes:
        arrays: float32, by name: "weight.0" (items, hidden) and "weight.1" to "weight.4" (hidden,
            hidden) of the layers of the encoder, with "bias.N", and "gain.N" and "shift.N" of their
            normalisation; "mean" (hidden, latent) and "mean_bias"; and of the decoder "output"
            (items, latent) and "output_bias".
    """

    arrays: Mapping[str, Float32]

    def scores(self, rows: Csr) -> Float32:
        """Scores of all items, float32 (people, items), for histories (people, items).

        The values of the histories are not read.
        """
        scores = self.code(rows) @ self.arrays["output"].T
        scores += self.arrays["output_bias"]
        return np.asarray(scores, dtype=np.float32)

    def code(self, rows: Csr) -> Float32:
        """Means of the posterior, float32 (people, latent)."""
        layer = self._activated(first_sums(rows, self.arrays["weight.0"]), 0)
        total = layer
        for at in range(1, LAYERS):
            layer = self._activated(layer @ self.arrays[f"weight.{at}"] + total, at)
            total = total + layer
        return layer @ self.arrays["mean"] + self.arrays["mean_bias"]

    def _activated(self, inner: Float32, at: int) -> Float32:
        """Return a layer from its inner products: biases, swish, normalisation."""
        inner = inner + self.arrays[f"bias.{at}"]
        # The sigmoid by tanh, which does not overflow.
        return self._normalised(inner * (0.5 + 0.5 * np.tanh(0.5 * inner)), at)

    def _normalised(self, layer: Float32, at: int) -> Float32:
        layer = layer - layer.mean(axis=1, keepdims=True)
        size = np.sqrt(np.mean(np.square(layer), axis=1, keepdims=True) + np.float32(EPSILON))
        return layer / size * self.arrays[f"gain.{at}"] + self.arrays[f"shift.{at}"]
