"""Models loaded to answer only: the same predictions from NumPy, with no torch to start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Csr, Histories, Ratings
from ...errors import UsageError
from ...nn import Forward
from ..base import Recommender
from ..settings import Settings
from ..support import ItemVectors
from ._blending import Blending
from ._shape import check_shape, saved_outputs
from ._single import Single

_ROWS = 1024


class LightNetwork:
    """A trained network on either side, as ``FittedNetwork`` but without torch.

    Args:
        tensors: What ``FittedNetwork.state`` gave.
        config: Likewise.
    """

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]], config: Mapping[str, Any]) -> None:
        self.settings = Settings.make(config["settings"], "model")
        own = {n.removeprefix("network."): a for n, a in tensors.items() if n.startswith("network")}
        check_shape(
            self.settings.network,
            config["n_columns"],
            own,
            tensors["inputs.levels"],
            tensors["inputs.offset"],
        )
        self.forward = Forward(
            self.settings.network,
            own,
            levels=tensors["inputs.levels"],
            offset=tensors["inputs.offset"],
            row_reg=float(config["row_reg"]),
            outputs=saved_outputs(config.get("outputs", {})),
        )
        self._known: Csr | None = None
        self._rows: tuple[Float32, Float32] | None = None
        if "known.indptr" in tensors:
            self._known = Csr(
                tensors["known.indptr"],
                tensors["known.indices"],
                tensors["known.values"],
                None,
                int(config["n_columns"]),
            )

    @property
    def by_items(self) -> bool:
        """Whether its rows are items, so that it knows nothing of new people."""
        return self._known is not None

    def predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Predicted ratings, as ``Recommender._predict``; with items as rows, of known people."""
        forward = self.forward
        if self._known is None:
            out = np.empty(len(rows))
            for start, batch in histories.batches(_ROWS):
                first, last = np.searchsorted(rows, (start, start + len(batch)))
                part = slice(int(first), int(last))
                out[part] = forward.entries(_csr(batch, forward), rows[part] - start, items[part])
            return out
        users = histories.users[rows]
        vectors, own = self._item_rows(self._known)
        dots = np.einsum("ij,ij->i", vectors[items], forward.table_out[users])
        out = forward.activated(dots + forward.bias_out[users]).astype(np.float64)
        out += forward.offset[users]
        out += own[items]
        return out

    def scores(self, histories: Histories) -> Float32:
        """Predicted ratings of all items, as ``Recommender._scores``; likewise."""
        if self._known is None:
            return self.forward.scores(_csr(histories, self.forward))
        users = histories.users
        vectors, own = self._item_rows(self._known)
        found: Float32 = self.forward.decode(vectors, users).T + own
        found += self.forward.offset[users][:, None]
        return found

    def encode(self, histories: Histories) -> Float32:
        """The last hidden layer for people, float32 (people, hidden[-1]); users must be rows."""
        return self.forward.encode(_csr(histories, self.forward))[0]

    def item_space(self) -> ItemVectors:
        """The items' learned vectors: the last layer, or with items as rows their codes."""
        if self._known is None:
            return ItemVectors(self.forward.table_out, self.forward.bias_out + self.forward.offset)
        return ItemVectors(*self._item_rows(self._known))

    def _item_rows(self, known: Csr) -> tuple[Float32, Float32]:
        """With items as rows, the vector of each, and what is added to its outputs."""
        if self._rows is None:
            every = Histories(
                known.indptr, known.indices, known.values, np.arange(known.n_rows, dtype=np.int32)
            )
            parts = [
                self.forward.encode(_csr(batch, self.forward)) for _, batch in every.batches(_ROWS)
            ]
            self._rows = (
                np.concatenate([vectors for vectors, _ in parts]),
                np.concatenate([own for _, own in parts]),
            )
        return self._rows


class _Light(Recommender):
    """A model that predicts and recommends but cannot be fitted.

    Args:
        tensors: What ``_state`` of the model it stands for gave.
        config: Likewise.
    """

    def __init__(self, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> None:
        self._saved = tensors, config

    def _fit(self, train: Ratings, seed: int, *args: Any, **options: Any) -> None:
        raise UsageError("this model was loaded to answer only; load it without light=True to fit")

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        return self._saved

    @classmethod
    def _restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        return cls(tensors, config)


class LightAutoencoder(Single, _Light):
    """An ``Autoencoder`` that predicts and recommends but cannot be fitted.

    ``load_model(path, light=True)`` makes it. It agrees with the model saved within rounding.
    """

    kind: ClassVar[str] = "autoencoder"

    def __init__(self, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> None:
        super().__init__(tensors, config)
        self.network = LightNetwork(tensors, config)
        self.settings = self.network.settings

    @property
    def _trained(self) -> LightNetwork:
        return self.network

    def item_space(self) -> ItemVectors:
        """The items' learned vectors and biases."""
        return self.network.item_space()


class LightEnsemble(Blending, _Light):
    """An ``Ensemble`` that predicts and recommends but cannot be fitted, likewise."""

    kind: ClassVar[str] = "ensemble"

    def __init__(self, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> None:
        super().__init__(tensors, config)
        self.settings = Settings.make(config["settings"], "model")
        self.members: list[LightNetwork] = []
        self.known, self.new = tensors["blend.known"], tensors["blend.new"]
        shared: dict[str, npt.NDArray[Any]] = {}  # what members with items as rows were given
        for number, each in enumerate(config["members"]):
            prefix = f"member.{number}."
            own = {n.removeprefix(prefix): a for n, a in tensors.items() if n.startswith(prefix)}
            shared = shared or {n: a for n, a in own.items() if n.startswith("known.")}
            by_items = each["settings"]["network"]["rows"] == "items"
            self.members.append(LightNetwork({**own, **shared} if by_items else own, each))

    def item_space(self) -> ItemVectors | None:
        """The items' learned vectors, of all members that answer for new people, side by side.

        A vector is multiplied by its member's weight: the product with a person's vectors side by
        side then is the blend. None if no member answers for new people.
        """
        weighed = [
            (member.item_space(), np.float32(weight))
            for member, weight in zip(self.members, self.new, strict=True)
            if weight and not member.by_items
        ]
        if not weighed:
            return None
        base = np.float32(1.0 - self.new.sum()) * (self.bias.item_bias + np.float32(self.bias.mean))
        return ItemVectors(
            np.concatenate([space.vectors * weight for space, weight in weighed], axis=1),
            base + sum(space.biases * weight for space, weight in weighed),
        )


def _csr(histories: Histories, forward: Forward) -> Csr:
    columns = len(forward.offset)
    return Csr(histories.indptr, histories.items, histories.values, None, columns)
