"""Starting points of training: initial weights, or ``Start``, a model that is updated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ...base.arrays import Array, Float32, Int32, Int64, Mask
from ...baseline import column_means
from ...data import Csr, Ratings
from ...nn import ColumnBlocks, Inputs, Network, NetworkConfig
from ...train import RunContext, Shard, Teacher, TrainConfig, choose_blocks, validation_share
from ...train.factors.continued import Continued
from ..settings import Settings, update_epochs
from ._fitted import FittedNetwork

SHARE_OF_RATE = 0.3
"""Learning rate of an update relative to that of full training."""
OLD_ROWS = 1.0
"""Ratings of users without new ratings, per rating of users with some, in an epoch."""


@dataclass(frozen=True, eq=False)
class Start:
    """A trained network to continue from, and the new ratings.

    Attributes:
        fitted: The network as it was.
        items: The network's code of each item, int32 (items,); -1 for a new item.
        users: The network's code of each user, int32 (users,); -1 for a new user.
        new: Mask of the new ratings, shape (ratings,).
        epochs: Epochs; None for a share of those in the settings.
        origin: Fingerprint of the ratings that it was trained on.
    """

    fitted: FittedNetwork
    items: Int32
    users: Int32
    new: Mask
    origin: str
    epochs: int | None = None

    def config(self, train: TrainConfig) -> TrainConfig:
        """Return the training options of the update."""
        return train.replace(
            {
                "epochs": self.epochs_of(train),
                "learning_rate": SHARE_OF_RATE * train.learning_rate,
                "schedule": "cosine",
                "warmup": 0.0,
                "patience": 0,
                "score_every": self.epochs_of(train),
            }
        )

    def epochs_of(self, train: TrainConfig) -> int:
        """Return the number of epochs of the update."""
        return self.epochs or update_epochs(train)

    def held(self, train: TrainConfig, rng: np.random.Generator, whole: Csr) -> Mask | None:
        """Draw the validation part from new ratings: the network was trained on the others."""
        if not train.validation:
            return None
        share = max(validation_share(train.validation, int(self.new.sum())), 0.05)
        out = self.new & (rng.random(len(self.new)) < share)
        owner = whole.in_order_of_ratings(whole.entry_rows)
        is_emptied = np.bincount(owner, ~out, minlength=whole.n_rows) == 0
        return out & ~is_emptied[owner]

    def rows(self, known: Csr, whole: Csr, rng: np.random.Generator) -> Int64:
        """Return the rows to train on: those with new ratings, and random others."""
        new_rows = np.flatnonzero(_has(whole, self.new) & (known.counts > 0))
        other_rows = np.setdiff1d(np.flatnonzero(known.counts), new_rows)
        other_rows = rng.permutation(other_rows)
        limit = OLD_ROWS * known.counts[new_rows].sum()
        sampled = other_rows[: int(np.searchsorted(np.cumsum(known.counts[other_rows]), limit)) + 1]
        return np.sort(np.concatenate([new_rows, sampled]))

    def load(self, network: Network) -> None:
        """Copy the trained weights into a network made for all items, old and new."""
        arrays = {name: array.copy() for name, array in network.arrays().items()}
        known = self.items >= 0
        if "table_out" in arrays:  # new items start from the bias model's prediction
            arrays["table_out"][~known] = 0.0
        for name, array in self.fitted.arrays.items():
            if name in ("table_in", "table_out", "bias_out"):
                repeats = len(arrays[name]) // len(self.items)
                _by_item(arrays[name], repeats)[known] = _by_item(array, repeats)[self.items[known]]
            else:
                arrays[name] = array
        network.load_arrays(arrays)

    def shrinkage(self, inputs: Inputs) -> tuple[float, Inputs]:
        """Return the shrinkage coefficient and the inputs with the slope by length, unchanged.

        They are not refitted: with few new held-out ratings the effect of the network cannot be
        separated from noise, and the coefficient would be 0.
        """
        before = self.fitted.inputs.outputs
        outputs = replace(inputs.outputs, slope=before.slope, pivot=before.pivot)
        return self.fitted.shrinkage, replace(inputs, outputs=outputs)

    @property
    def stores_codes(self) -> bool:
        """Whether the network has stored codes."""
        return self.fitted.stored is not None and len(self.fitted.stored.hashes) > 0

    def new_of(self, whole: Csr, held: Mask | None) -> Mask:
        """Return the mask of new ratings by user, without those ``held`` out of ``whole``."""
        new = whole.aligned(self.new)
        return new if held is None else new[~whole.aligned(held)]

    def continued(self, known: Csr, new: Mask, offset: Float32) -> Continued:
        """Update the stored codes, which must exist, with the new ratings."""
        codes, forward, is_old = self.fitted.stored, self.fitted.forward, self.items >= 0
        assert codes is not None
        table = np.zeros((len(self.items), codes.table.shape[1] + 1))
        table[is_old, :-1] = codes.table[self.items[is_old]]
        table[:, -1] = 1.0
        base = offset.astype(np.float64)
        base[is_old] = (forward.bias_out + forward.offset)[self.items[is_old]]
        before = np.column_stack([codes.codes, codes.added])
        return Continued.fit(before, self.users, table, base, known, new)


def factor_teacher(continued: Continued, known: Csr, new: Mask, activation: int) -> Teacher:
    """Return the continued codes of users as a teacher."""
    nothing = np.zeros(known.n_rows, dtype=np.float32)
    items, people = continued.items, continued.user_codes(known, new)
    return Teacher(items.factors, items.bias, people, nothing, nothing, activation)


def first_network(
    settings: Settings,
    ratings: Ratings,
    known: Csr,
    inputs: Inputs,
    context: RunContext,
    rng: np.random.Generator,
    start: Start | None,
    shard: Shard,
) -> Network:
    """Make a network with its initial weights.

    An update keeps the widths of ``start``, whatever the size of the data. ``ratings`` and
    ``known`` are those of this process, ``shard`` the processes that have the others, if any.
    """
    config, blocks = settings.network, None
    if start is None:
        counts = (shard.span(len(ratings))[1], ratings.n_users, ratings.n_items)
        shape = config.within(known.n_columns, inputs.table_rows, counts)
    else:
        shape = config.replace({"hidden": start.fitted.settings.network.hidden})
    if shard.bounds is not None:
        rows = inputs.table_rows, known.n_columns
        blocks = choose_blocks(shape, settings.train, context, rows)
    network = _new_network(shape, known.n_columns, inputs, context.device, rng, blocks)
    if config.bias_start == "mean":
        with torch.no_grad():
            network.bias_out.copy_(torch.from_numpy(column_means(known, inputs.offset, shard.sum)))
    if start is not None:
        start.load(network)
    return network


def _new_network(
    shape: NetworkConfig,
    columns: int,
    inputs: Inputs,
    device: str,
    rng: np.random.Generator,
    blocks: ColumnBlocks | None,
) -> Network:
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    network = Network(shape, columns, inputs.table_rows, generator, blocks=blocks)
    if device != "cpu":  # the same initial weights in all processes, different dropout masks
        network.to(device)
        network.generator = torch.Generator(network.table_in.device)
        network.generator.manual_seed(int(rng.integers(2**63)))
    return network


def _by_item(array: Array, each: int) -> Array:
    return array.reshape(-1, each, *array.shape[1:])


def _has(whole: Csr, ratings: Mask) -> Mask:
    """Return the mask of rows with any of these ratings."""
    known: Mask = np.zeros(whole.n_rows, dtype=bool)
    known[whole.entry_rows[whole.aligned(ratings)]] = True
    return known
