"""Where training begins: initial weights, or ``Start``, those of a model that is updated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...base.arrays import Float32, Int32, Int64, Mask
from ...data import Csr
from ...nn import Inputs, Network, NetworkConfig
from ...train import Teacher, TrainConfig, validation_share
from ...train.factors.continued import Continued
from ..settings import update_epochs
from ._fitted import FittedNetwork

if TYPE_CHECKING:
    import numpy.typing as npt

SHARE_OF_RATE = 0.3
"""Learning rate of an update relative to that of training anew."""
OLD_ROWS = 1.0
"""Ratings of people without new ones, for each rating of people with some, in an epoch."""


@dataclass(frozen=True, eq=False)
class Start:
    """A trained network that is to be trained further, and what is new.

    Attributes:
        fitted: The network as it was.
        items: Its item code of each item, int32 (items,); -1 for a new item.
        users: Its user code of each user, int32 (users,); -1 for a new user.
        new: Which ratings are new, shape (ratings,).
        epochs: Epochs; None for a share of those of the settings.
        origin: Fingerprint of the ratings that it was trained on.
    """

    fitted: FittedNetwork
    items: Int32
    users: Int32
    new: Mask
    origin: str
    epochs: int | None = None

    def config(self, train: TrainConfig) -> TrainConfig:
        """The options of the training that follows."""
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
        """How many epochs that is."""
        return self.epochs or update_epochs(train)

    def held(self, train: TrainConfig, rng: np.random.Generator, whole: Csr) -> Mask | None:
        """The validation part: new ratings alone, as the network has seen the others."""
        if not train.validation:
            return None
        share = max(validation_share(train.validation, int(self.new.sum())), 0.05)
        out = self.new & (rng.random(len(self.new)) < share)
        owner = whole.in_order_of_ratings(np.repeat(np.arange(whole.n_rows), whole.counts))
        emptied = np.bincount(owner, ~out, minlength=whole.n_rows) == 0
        return out & ~emptied[owner]

    def rows(self, known: Csr, whole: Csr, rng: np.random.Generator) -> Int64:
        """The rows to train on: those with new ratings, and others at random."""
        fresh = np.flatnonzero(_has(whole, self.new) & (known.counts > 0))
        rest = np.setdiff1d(np.flatnonzero(known.counts), fresh)
        rest = rng.permutation(rest)
        limit = OLD_ROWS * known.counts[fresh].sum()
        taken = rest[: int(np.searchsorted(np.cumsum(known.counts[rest]), limit)) + 1]
        return np.sort(np.concatenate([fresh, taken]))

    def load(self, network: Network) -> None:
        """Give a network that was made for all items the weights that there are already."""
        arrays = {name: array.copy() for name, array in network.arrays().items()}
        known = self.items >= 0
        if "table_out" in arrays:  # of a new item the bias model's rating, to begin with
            arrays["table_out"][~known] = 0.0
        for name, array in self.fitted.arrays.items():
            if name in ("table_in", "table_out", "bias_out"):
                each = len(arrays[name]) // len(self.items)
                _by_item(arrays[name], each)[known] = _by_item(array, each)[self.items[known]]
            else:
                arrays[name] = array
        network.load_arrays(arrays)

    def shrinkage(self, inputs: Inputs) -> tuple[float, Inputs]:
        """The shrinkage coefficient, which its weights have already, and the slope by length.

        They are not fitted again: of few new ratings, those held out cannot tell a network from
        noise, and its coefficient would be 0.
        """
        before = self.fitted.inputs.outputs
        outputs = replace(inputs.outputs, slope=before.slope, pivot=before.pivot)
        return self.fitted.shrinkage, replace(inputs, outputs=outputs)

    @property
    def stores_codes(self) -> bool:
        """Whether the network has stored codes."""
        return self.fitted.stored is not None and len(self.fitted.stored.hashes) > 0

    def new_of(self, whole: Csr, held: Mask | None) -> Mask:
        """Which ratings by user are new, without those ``held`` out of ``whole``."""
        new = whole.aligned(self.new)
        return new if held is None else new[~whole.aligned(held)]

    def continued(self, known: Csr, new: Mask, offset: Float32) -> Continued:
        """The stored codes, which there must be, as a model that learned from the new ratings.

        Args:
            known: The present ratings by user.
            new: Which of them are new.
            offset: Offset of each item.
        """
        codes, forward, old = self.fitted.stored, self.fitted.forward, self.items >= 0
        assert codes is not None
        table = np.zeros((len(self.items), codes.table.shape[1] + 1))
        table[old, :-1] = codes.table[self.items[old]]
        table[:, -1] = 1.0
        base = offset.astype(np.float64)
        base[old] = (forward.bias_out + forward.offset)[self.items[old]]
        before = np.column_stack([codes.codes, codes.added])
        return Continued.fit(before, self.users, table, base, known, new)


def factor_teacher(continued: Continued, known: Csr, new: Mask, activation: int) -> Teacher:
    """Continued codes of people with some ratings, ``new`` or not, in the form of a teacher."""
    nothing = np.zeros(known.n_rows, dtype=np.float32)
    items, people = continued.items, continued.people(known, new)
    return Teacher(items.factors, items.bias, people, nothing, nothing, activation)


def new_network(
    shape: NetworkConfig, columns: int, inputs: Inputs, device: str, rng: np.random.Generator
) -> Network:
    """A network with initial weights on a device."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    network = Network(shape, columns, inputs.table_rows, generator)
    if device != "cpu":  # the same initial weights in all processes, different dropout masks
        network.to(device)
        network.generator = torch.Generator(network.table_in.device)
        network.generator.manual_seed(int(rng.integers(2**63)))
    return network


def _by_item(array: npt.NDArray[Any], each: int) -> npt.NDArray[Any]:
    return array.reshape(-1, each, *array.shape[1:])


def _has(whole: Csr, ratings: Mask) -> Mask:
    """Which rows have any of some ratings."""
    known: Mask = np.zeros(whole.n_rows, dtype=bool)
    aligned = whole.aligned(ratings)
    known[np.repeat(np.arange(whole.n_rows), whole.counts)[aligned]] = True
    return known
