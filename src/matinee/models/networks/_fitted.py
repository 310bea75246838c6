"""``FittedNetwork``: a trained network with what it needs to predict, on either side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Csr, Histories
from ...nn import (
    Inputs,
    Network,
    decode_vectors,
    encode_rows,
    predict_entries,
    predict_rows,
)
from ...train import Epoch
from ..settings import Settings
from ._shape import check_shape, saved_outputs


@dataclass(eq=False)
class FittedNetwork:
    """A network as it came out of training.

    With users as rows it predicts from any person's history. With items as rows, each item's row
    is what it was given in training, and a person is a column, which only known people have.

    Attributes:
        settings: The options it was trained with.
        network: The network, on the CPU.
        inputs: Its input recipe.
        known: With items as rows, all training ratings by item; else None.
        epochs: Metrics of every epoch.
        best_epoch: Whose weights it has.
        n_valid: Ratings in the validation part.
        share: What is left of its deviations from the bias model; 1 for all.
        teacher_epochs: Metrics of every epoch of its teacher, where it has one.
    """

    settings: Settings
    network: Network
    inputs: Inputs
    known: Csr | None
    epochs: list[Epoch]
    best_epoch: int
    n_valid: int
    share: float = 1.0
    teacher_epochs: list[Epoch] = field(default_factory=list)
    _vectors: tuple[Float32, Float32] | None = field(default=None, init=False)

    @property
    def by_items(self) -> bool:
        """Whether its rows are items, so that it knows nothing of new people."""
        return self.known is not None

    @property
    def n_parameters(self) -> int:
        """Trained numbers; of the ratings that it carries, none."""
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    def predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Predicted ratings, as ``Recommender._predict``; with items as rows, of known people."""
        if self.known is None:
            indptr = np.searchsorted(rows, np.arange(len(histories) + 1)).astype(np.int64)
            people = np.arange(len(histories), dtype=np.int64)
            return predict_entries(
                self.network, self.inputs, self._csr(histories), people, indptr, items
            )
        users = histories.users[rows]
        order = np.argsort(items, kind="stable")
        asked, starts = np.unique(items[order], return_index=True)
        indptr = np.append(starts, len(order)).astype(np.int64)
        out = np.empty(len(rows))
        out[order] = predict_entries(
            self.network,
            self.inputs,
            self.known,
            asked.astype(np.int64),
            indptr,
            users[order].astype(np.int32),
        )
        return out

    def scores(self, histories: Histories) -> Float32:
        """Predicted ratings of all items, as ``Recommender._scores``; likewise."""
        if self.known is None:
            people = np.arange(len(histories), dtype=np.int64)
            return predict_rows(self.network, self.inputs, self._csr(histories), people)
        users = histories.users
        vectors, added = self._item_vectors(self.known)
        found: Float32 = decode_vectors(self.network, vectors, users).T
        found = found + self.inputs.offset[users][:, None]
        found += added
        return found

    def encode(self, histories: Histories) -> Float32:
        """The last hidden layer for people, float32 (people, hidden[-1]); users must be rows."""
        people = np.arange(len(histories), dtype=np.int64)
        return encode_rows(self.network, self.inputs, self._csr(histories), people)[0]

    def _csr(self, histories: Histories) -> Csr:
        columns = len(self.inputs.offset)
        return Csr(histories.indptr, histories.items, histories.values, None, columns)

    def _item_vectors(self, known: Csr) -> tuple[Float32, Float32]:
        if self._vectors is None:
            items = np.arange(known.n_rows, dtype=np.int64)
            parts = [
                encode_rows(self.network, self.inputs, known, items[i : i + 1024])
                for i in range(0, len(items), 1024)
            ]
            vectors, added = zip(*parts, strict=True)
            self._vectors = np.concatenate(vectors), np.concatenate(added)
        return self._vectors

    def state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays by name, and a JSON-able configuration, to make the same again."""
        tensors: dict[str, npt.NDArray[Any]] = {
            f"network.{name}": array for name, array in self.network.arrays().items()
        }
        tensors["inputs.levels"] = self.inputs.levels
        tensors["inputs.offset"] = self.inputs.offset
        if self.known is not None:
            tensors["known.indptr"] = self.known.indptr
            tensors["known.indices"] = self.known.indices
            tensors["known.values"] = self.known.values
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "row_reg": self.inputs.row_reg,
            "outputs": self.inputs.outputs.as_dict(),
            "n_columns": int(self.network.table_out.shape[0]),
            "best_epoch": self.best_epoch,
            "n_valid": self.n_valid,
            "share": self.share,
            "epochs": [epoch.as_dict() for epoch in self.epochs],
            "teacher_epochs": [epoch.as_dict() for epoch in self.teacher_epochs],
        }
        return tensors, config

    @classmethod
    def restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        """From what ``state`` gave."""
        settings = Settings.make(config["settings"], "model")
        inputs = Inputs(
            kind=settings.network.input,
            levels=tensors["inputs.levels"],
            sqrt=settings.network.input_scale == "sqrt",
            offset=tensors["inputs.offset"],
            row_reg=float(config["row_reg"]),
            outputs=saved_outputs(config.get("outputs", {})),
        )
        columns = config["n_columns"]
        generator = torch.Generator().manual_seed(0)
        own = {n.removeprefix("network."): a for n, a in tensors.items() if n.startswith("network")}
        check_shape(settings.network, columns, own, inputs.levels, inputs.offset)
        network = Network(settings.network, columns, inputs.table_rows, generator)
        network.load_arrays(own)
        known = None
        if "known.indptr" in tensors:
            indptr, indices = tensors["known.indptr"], tensors["known.indices"]
            known = Csr(indptr, indices, tensors["known.values"], None, columns)
        return cls(
            settings,
            network,
            inputs,
            known,
            [Epoch(**epoch) for epoch in config["epochs"]],
            config["best_epoch"],
            config["n_valid"],
            config["share"],
            [Epoch(**epoch) for epoch in config.get("teacher_epochs", [])],
        )
