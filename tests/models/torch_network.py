"""The answers of a fitted network by torch's own operations, which NumPy inference must equal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from matinee.data import Csr, Histories
from matinee.models.networks._fitted import FittedNetwork
from matinee.nn import encode_rows, predict_entries
from matinee.nn.activations import activation
from networks import predict_rows

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class TorchNetwork:
    def __init__(self, fitted: FittedNetwork) -> None:
        self.network, self.inputs, self.known = fitted.network, fitted.inputs, fitted.known
        self._vectors: tuple[Float32, Float32] | None = None

    @property
    def by_items(self) -> bool:
        return self.known is not None

    @property
    def differs_for_known(self) -> bool:
        return self.by_items

    def known_rows(self, histories: Histories) -> Mask:
        """Mask of the users that the rating rows of items know, shape (users,)."""
        return histories.users >= 0

    def predict(
        self, histories: Histories, rows: Int64, items: Int32, trained: Histories | None = None
    ) -> Float64:
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

    def scores(self, histories: Histories, trained: Histories | None = None) -> Float32:
        """Predicted ratings of all items, as ``Recommender._scores``; likewise."""
        if self.known is None:
            people = np.arange(len(histories), dtype=np.int64)
            return predict_rows(self.network, self.inputs, self._csr(histories), people)
        users = histories.users
        vectors, added = self._item_vectors(self.known)
        table, bias = self.network.table_out.detach(), self.network.bias_out.detach()
        output = activation(self.network.config.output_activation).torch(torch)
        dots = torch.from_numpy(vectors) @ table[users].t() + bias[users]
        result: Float32 = output(dots).numpy().T
        result = result + self.inputs.offset[users][:, None]
        result += added
        return result

    def encode(self, histories: Histories) -> Float32:
        """The last hidden layer for people, float32 (people, hidden[-1]); users must be rows."""
        people = np.arange(len(histories), dtype=np.int64)
        return encode_rows(self.network, self.inputs, self._csr(histories), people)[0]

    def _csr(self, histories: Histories) -> Csr:
        columns = len(self.inputs.offset)
        return histories.csr(columns)

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
