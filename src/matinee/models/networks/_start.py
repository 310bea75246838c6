"""Where training begins: initial weights, or ``Start``, those of a model that is updated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...base.arrays import Int32, Int64, Mask
from ...data import Csr, Histories
from ...nn import Forward, Inputs, Network, NetworkConfig
from ...train import Teacher, TrainConfig, validation_share
from ..settings import Settings, update_epochs
from ._fitted import FittedNetwork
from ._grown import Grown
from ._stored import StoredCodes

if TYPE_CHECKING:
    import numpy.typing as npt

SHARE_OF_RATE = 0.3
"""Learning rate of an update relative to that of training anew."""
OLD_ROWS = 1.0
"""Ratings of people without new ones, for each rating of people with some, in an epoch."""
TEACHER_WIDTH, TEACHER_EPOCHS, TEACHER_RATE = 128, 24, 2.0
"""Largest width and number of epochs of an update's teacher, and its learning rate relative to that
of the network's training: it is trained anew, in a third of the time of an update."""


@dataclass(frozen=True, eq=False)
class Start:
    """A trained network that is to be trained further, and what is new.

    Attributes:
        fitted: The network as it was.
        items: Its item code of each item, int32 (items,); -1 for a new item.
        users: Its user code of each user, int32 (users,); -1 for a new user.
        histories: The ratings that it was trained on.
        new: Which ratings are new, shape (ratings,).
        epochs: Epochs; None for a share of those of the settings.
        origin: Fingerprint of the ratings that it was trained on.
    """

    fitted: FittedNetwork
    items: Int32
    users: Int32
    histories: Histories
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

    def teacher(self, settings: Settings) -> Settings:
        """The settings of the teacher of the update: a small one, of one hidden layer."""
        teacher = settings.teacher()
        return teacher.replace(
            {
                "network.hidden": (min(TEACHER_WIDTH, settings.network.hidden[-1]),),
                "train.epochs": min(TEACHER_EPOCHS, teacher.train.epochs),
                "train.learning_rate": TEACHER_RATE * settings.train.learning_rate,
            },
            "teacher",
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

    @property
    def stores_codes(self) -> bool:
        """Whether the network has stored codes."""
        return self.fitted.stored is not None and len(self.fitted.stored.hashes) > 0

    def stored(self, forward: Forward, known: Csr, teachers: Sequence[Teacher]) -> StoredCodes:
        """Stored codes with the gain that those of the network had, which must have some.

        Args:
            forward: The network as it is now.
            known: The present ratings by user.
            teachers: Those of the update.
        """
        codes, before = self.fitted.stored, self.histories
        assert codes is not None
        present = np.full(self.fitted.forward.offset.shape, -1, dtype=np.int32)
        old = np.flatnonzero(self.items >= 0)
        present[self.items[old]] = old
        renamed = Histories(before.indptr, present[before.items], before.values, before.users)
        now = Histories(known.indptr, known.indices, known.values, self.users)
        grown = Grown.of(np.flatnonzero(self.users >= 0), now, renamed)
        earlier = (self.fitted.forward, before)
        return codes.carried(forward, known, self.items, grown, earlier, teachers)


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
