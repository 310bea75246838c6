"""``FittedNetwork``: a trained network and what it needs to predict, users or items as rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int32, Int64, Mask, State, without_prefix
from ...baseline.ordinal import expected_ratings
from ...data import (
    CodedColumn,
    Csr,
    Histories,
    SideColumns,
    coded_state,
    restored_columns,
)
from ...nn import Forward, Inputs
from ...train import Epoch
from ..settings import Settings
from ..support import ItemVectors
from ._rows import with_columns
from ._saved import check_shape, saved_link, saved_outputs
from ._stored import StoredCodes

if TYPE_CHECKING:
    from ...nn import Network, NetworkConfig


_ROWS = 1024
"""Rows encoded at a time."""
_KEPT = 1 << 22
"""Cached scores of users with a code who have rated more items: a limit of 16 MiB."""


@dataclass(eq=False)
class FittedNetwork:
    """A trained network. It predicts without torch.

    With users as rows it predicts from any user's history. With items as rows, each item's row is
    its training ratings, and a user is an output column, so only known users have predictions.

    Attributes:
        settings: The options it was trained with.
        arrays: Parameters and buffers by name: ``Network.arrays``.
        inputs: Input encoding.
        known: With items as rows, all training ratings by item; else None.
        epochs: Metrics of every epoch.
        best_epoch: The epoch whose weights are used.
        n_valid: Ratings in the validation part.
        shrinkage: Shrinkage coefficient of its deviations from the bias model, 1 for none.
        stored: With users as rows, stored codes of training users; None to encode their ratings.
        columns: Item columns that it or its teachers use (with items as rows, also in ``known``).
        teacher_epochs: Metrics of every epoch of its teachers, if it has any.
    """

    settings: Settings
    arrays: dict[str, Array]
    inputs: Inputs
    known: Csr | None
    epochs: list[Epoch]
    best_epoch: int
    n_valid: int
    shrinkage: float = 1.0
    teacher_epochs: list[Epoch] = field(default_factory=list)
    stored: StoredCodes | None = None
    columns: tuple[CodedColumn, ...] = ()
    _kept_gains: dict[int, Float32] = field(default_factory=dict, init=False)

    @cached_property
    def forward(self) -> Forward:
        """The forward pass."""
        return make_forward(self.settings.network, self.arrays, self.inputs)

    @cached_property
    def network(self) -> Network:
        """A torch network with the same weights, in evaluation mode."""
        import torch

        from ...nn import Network

        generator = torch.Generator().manual_seed(0)
        columns = len(self.arrays["bias_out"])
        network = Network(self.settings.network, columns, self.inputs.table_rows, generator)
        network.load_arrays(self.arrays)
        return network.eval()

    @property
    def by_items(self) -> bool:
        """Whether its rows are items, so that it cannot predict for new users."""
        return self.known is not None

    @property
    def differs_for_known(self) -> bool:
        """Whether predictions for known users differ from fold-in of the same ratings."""
        return self.by_items or self.stored is not None

    def known_rows(self, histories: Histories) -> Mask:
        """Return the mask of users that are not predicted for by fold-in, shape (users,)."""
        return histories.users >= 0 if self.stored is None else self.stored.match(histories)

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """See ``Hooks``."""
        return None, SideColumns.decoded(self.columns)

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters, without stored ratings."""
        learned = {n: a for n, a in self.arrays.items() if ".running_" not in n}
        learned = {n: a for n, a in learned.items() if not n.endswith(".num_batches_tracked")}
        if not self.settings.network.output_bias:
            del learned["bias_out"]
        return sum(array.size for array in learned.values())

    def predict(
        self, histories: Histories, rows: Int64, items: Int32, trained: Histories | None = None
    ) -> Float64:
        """Return predicted ratings, as ``Hooks._predict``; items as rows: for known users only.

        ``trained`` are the training ratings of all users, if available: see ``ExtendedHistories``.
        """
        if self.known is None:
            return self._predict_by_users(histories, rows, items, trained)
        forward = self.forward
        users = histories.users[rows]
        vectors, item_offsets = self._item_rows
        dots = np.einsum("ij,ij->i", vectors[items], forward.table_out[users])
        out = forward.activated(dots + forward.bias_out[users]).astype(np.float64)
        out += forward.offset[users]
        out += item_offsets[items]
        return expected_ratings(out, forward.link)

    def scores(self, histories: Histories, trained: Histories | None = None) -> Float32:
        """Return predicted ratings of all items, as ``Hooks._scores``; see ``predict``."""
        if self.known is None:
            return self._scores_by_users(histories, trained)
        users = histories.users
        vectors, row_bias = self._item_rows
        outputs: Float32 = self.forward.decode(vectors, users).T + row_bias
        outputs += self.forward.offset[users][:, None]
        return expected_ratings(outputs, self.forward.link)

    def encode(self, histories: Histories) -> Float32:
        """Return the last hidden layer, float32 (users, hidden[-1]); users must be the rows.

        It is computed from the ratings, without stored codes.
        """
        return self.forward.encode(_csr(histories, self.forward))[0]

    def item_space(self) -> ItemVectors:
        """Return the learned item vectors: the last layer, or with items as rows their codes."""
        if self.known is None:
            return ItemVectors(self.forward.table_out, self.forward.bias_out + self.forward.offset)
        return ItemVectors(*self._item_rows)

    def _predict_by_users(
        self, histories: Histories, rows: Int64, items: Int32, trained: Histories | None
    ) -> Float64:
        if self.stored is None:
            return self._fold_in(histories, rows, items)
        out = np.empty(len(rows))
        unmatched = ~self.stored.match(histories)
        matched = ~unmatched[rows]
        out[matched] = self._stored_entries(histories.users[rows[matched]], items[matched])
        position = np.cumsum(unmatched) - 1
        out[~matched] = self._fold_in(
            histories.take(np.flatnonzero(unmatched)), position[rows[~matched]], items[~matched]
        )
        extended = self.stored.extended(histories, unmatched, trained)
        if len(extended.rows):
            positions = np.flatnonzero(np.isin(rows, extended.rows))
            at = np.searchsorted(extended.rows, rows[positions])
            gains = self._stored_entries(extended.before.users[at], items[positions])
            gains -= self._fold_in(extended.before, at, items[positions])
            out[positions] += extended.weight[at] * gains
        return out

    def _stored_entries(self, users: Int32, items: Int32) -> Float64:
        assert self.stored is not None
        return self._known_forward.entries_of(
            self.stored.codes, self.stored.added, users.astype(np.int64), items
        )

    def _scores_by_users(self, histories: Histories, trained: Histories | None) -> Float32:
        if self.stored is None:
            return self.forward.scores(_csr(histories, self.forward))
        matched = self.stored.match(histories)
        scores = np.empty((len(matched), len(self.forward.offset)), dtype=np.float32)
        scores[matched] = self._stored_scores(histories.users[matched])
        if matched.all():
            return scores
        others = histories.take(np.flatnonzero(~matched))
        scores[~matched] = self.forward.scores(_csr(others, self.forward))
        extended = self.stored.extended(histories, ~matched, trained)
        if len(extended.rows):
            scores[extended.rows] += extended.weight[:, None] * self._gains(extended.before)
        return scores

    def _gains(self, before: Histories) -> Float32:
        """Return what stored codes add to the scores of fold-in, float32 (users, items).

        Results of single users are cached: after feedback a user's list is requested repeatedly.
        """
        user = int(before.users[0]) if len(before) == 1 else -1
        gains = self._kept_gains.get(user)
        if gains is None:
            gains = self._stored_scores(before.users)
            gains -= self.forward.scores(_csr(before, self.forward))
            if user >= 0:
                if len(self._kept_gains) * gains.size >= _KEPT:
                    oldest = next(iter(tuple(self._kept_gains)), -1)
                    self._kept_gains.pop(oldest, None)  # another thread may have removed it
                self._kept_gains[user] = gains
        return gains

    def _stored_scores(self, users: Int32) -> Float32:
        assert self.stored is not None
        return self._known_forward.scores_of(self.stored.codes[users], self.stored.added[users])

    @cached_property
    def _known_forward(self) -> Forward:
        assert self.stored is not None
        return self.stored.forward(self.forward)

    def _fold_in(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        out = np.empty(len(rows))
        for start, batch in histories.batches(_ROWS):
            first, last = np.searchsorted(rows, (start, start + len(batch)))
            part = slice(int(first), int(last))
            known = _csr(batch, self.forward)
            out[part] = self.forward.entries(known, rows[part] - start, items[part])
        return out

    @cached_property
    def _item_rows(self) -> tuple[Float32, Float32]:
        """Each item's code (items, hidden[-1]) and offset (items,), with items as rows."""
        assert self.known is not None
        parts = []
        for first, batch in Histories.of(self.known).batches(_ROWS):
            csr = _csr(batch, self.forward)
            if self.known.side is not None:
                rows = np.arange(first, first + len(batch))
                csr = replace(csr, side=self.known.side.take(rows))
            parts.append(self.forward.encode(csr))
        vectors, offsets = (np.concatenate(each) for each in zip(*parts, strict=True))
        return vectors, offsets

    def state(self) -> State:
        """Return arrays by name and a JSON-serialisable configuration, for ``restore``."""
        tensors: dict[str, Array] = {
            f"network.{name}": array for name, array in self.arrays.items()
        }
        tensors["inputs.offset"] = self.inputs.offset
        if self.known is not None:
            tensors["known.indptr"] = self.known.indptr
            tensors["known.indices"] = self.known.indices
            tensors["known.values"] = self.known.values
        if self.stored is not None:
            tensors |= self.stored.state()
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "row_reg": self.inputs.row_reg,
            "outputs": self.inputs.outputs.as_dict(),
            "n_columns": len(self.arrays["bias_out"]),
            "best_epoch": self.best_epoch,
            "n_valid": self.n_valid,
            "share": self.shrinkage,
            "epochs": [epoch.as_dict() for epoch in self.epochs],
            "teacher_epochs": [epoch.as_dict() for epoch in self.teacher_epochs],
        }
        if self.columns:
            arrays, config["columns"] = coded_state(self.columns, "columns")
            tensors |= arrays
        if self.inputs.link is not None:
            config["link"] = asdict(self.inputs.link)
        return tensors, config

    @classmethod
    def restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        """Restore a network from the output of ``state``."""
        settings = Settings.make(config["settings"], "model")
        coded = restored_columns(tensors, "columns", config.get("columns", ()))
        by_items = settings.network.rows == "items"
        inputs = Inputs(
            kind=settings.network.input,
            sqrt=settings.network.input_scale == "sqrt",
            offset=tensors["inputs.offset"],
            row_reg=float(config["row_reg"]),
            outputs=saved_outputs(config.get("outputs", {})),
            link=saved_link(settings.network, config.get("link")),
            levels=sum(len(each.levels) for each in coded) if by_items else 0,
        )
        arrays = without_prefix("network.", tensors)
        columns = config["n_columns"]
        check_shape(settings.network, columns, arrays, inputs)
        known = None
        if "known.indptr" in tensors:
            indptr, indices = tensors["known.indptr"], tensors["known.indices"]
            known = Csr(indptr, indices, tensors["known.values"], None, columns)
            known = with_columns(known, coded)
        fitted = cls(
            settings,
            arrays,
            inputs,
            known,
            [Epoch(**epoch) for epoch in config["epochs"]],
            config["best_epoch"],
            config["n_valid"],
            config["share"],
            [Epoch(**epoch) for epoch in config.get("teacher_epochs", [])],
            StoredCodes.restore(tensors, columns, settings.network.hidden[-1]),
            coded,
        )
        _ = fitted.forward  # raises for inconsistent arrays
        return fitted


def make_forward(config: NetworkConfig, arrays: dict[str, Array], inputs: Inputs) -> Forward:
    """Return the forward pass of a network with these parameters and input encoding."""
    return Forward(
        config,
        arrays,
        offset=inputs.offset,
        row_reg=inputs.row_reg,
        outputs=inputs.outputs,
        link=inputs.link,
    )


def _csr(histories: Histories, forward: Forward) -> Csr:
    return histories.csr(len(forward.offset))
