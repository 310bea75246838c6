"""``SparseFC``: an autoencoder of items with kernelised sparse weights."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Histories, Ratings
from ...models.one_shot import EpochLog, OneShot
from ...models.support import ItemVectors
from ...train.factors.als_kernels import entry_scores
from ._kernel_net import KernelNet
from ._lbfgs import fit_kernel_net, observed
from .sparsefc import SparseFCConfig

_ARRAYS = ("item_vectors", "user_weights", "user_biases")


class SparseFC(OneShot):
    """SparseFC (Muller, Martel & Indiveri, "Kernelized Synaptic Weight Matrices", ICML 2018).

    A row of the network is an item, as in the authors' code: two hidden layers of 500 sigmoid
    units, every weight multiplied by a kernel of finite support, and half the sum of squared errors
    with penalties on weights and kernels minimised by L-BFGS over all ratings. The network sees
    ratings rescaled to 1 to 5, for which the penalties are tuned.

    A new user has no input column, so the bias model predicts for them. Training keeps about 25
    times its parameters in memory (1,000 per user and kernel_dim * 2 more, float32: 0.6 GB on
    ML-1M), most of it L-BFGS's.

    Args:
        preset: "sparsefc" (the default), or path of a TOML file with ``kind = "sparsefc"``.
        settings: All options, instead of a preset; the section ``sparsefc`` applies.
        device: Accepted for compatibility; the model runs on the CPU.
        **overrides: Single options by name, over the preset: ``iterations=500``.

    Attributes:
        settings: The options.
        epochs: Metrics after every ``restart`` iterations.
        item_vectors: float32 (n_items, units), the last hidden layer, after ``fit``.
        user_weights: float32 (n_users, units), weights of the output, kernels included.
        user_biases: float32 (n_users,).
    """

    kind: ClassVar[str] = "sparsefc"
    takes_time_offset = False
    folds_in = False

    item_vectors: Float32
    user_weights: Float32
    user_biases: Float32

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        options = self.settings.section(SparseFCConfig)
        data = observed(
            train, (1 + (train.values - self.scale.low) / self._unit).astype(np.float32)
        )
        net = KernelNet(
            train.n_users,
            options.units,
            options.layers,
            options.kernel_dim,
            lambda_2=options.lambda_2,
            lambda_s=options.lambda_s,
            rng=rng,
        )
        for half, whole in fit_kernel_net(net, data, options):
            self.item_vectors, self.user_weights, self.user_biases = net.vectors(data)
            rmse = self._unit * (2 * half / len(train)) ** 0.5
            log.add(whole / len(train), rmse, self._at)

    def item_space(self) -> ItemVectors:
        """Return the learned item vectors, which have no biases."""
        return ItemVectors(self.item_vectors, np.zeros(self.n_items, dtype=np.float32))

    @property
    def _unit(self) -> float:
        """One step of the network's scale of 1 to 5, in the data's."""
        return (self.scale.high - self.scale.low) / 4 or 1.0

    def _at(self, users: Int32, items: Int32) -> Float64:
        out = np.empty(len(users))
        no_bias = np.zeros(self.n_items, dtype=np.float32)
        entry_scores(
            users, items, self.user_biases, self.user_weights, no_bias, self.item_vectors, out
        )
        return self.scale.low + self._unit * (out - 1)

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        out = self.bias.predict(histories, rows, items)
        users = histories.users[rows]
        known = np.flatnonzero(users >= 0)
        out[known] = self._at(users[known], items[known])
        return out

    def _scores(self, histories: Histories) -> Float32:
        scores = self.bias.item_bias + self.bias.user_bias(histories)[:, None] + self.bias.mean
        scores = scores.astype(np.float32)
        known = np.flatnonzero(histories.users >= 0)
        if len(known):
            users = histories.users[known]
            known_scores = (
                self.user_weights[users] @ self.item_vectors.T + self.user_biases[users, None]
            )
            scores[known] = self.scale.low + self._unit * (known_scores - 1)
        return scores

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name) for name in _ARRAYS}

    def _load(self, arrays: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> None:
        for name in _ARRAYS:
            setattr(self, name, arrays[name])
