"""``Autoencoder``: the deep autoencoder as a ``Recommender``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from ..data import Csr, Histories, Ratings, group
from ..errors import UsageError
from ..nn import (
    Inputs,
    Network,
    decode_vectors,
    encode_rows,
    fit_inputs,
    predict_entries,
    predict_rows,
    row_biases,
)
from ..train import (
    Epoch,
    Holdout,
    Run,
    RunFolder,
    Settings,
    carve,
    column_means,
    fit_bias,
    shrink_to_bias,
)
from ..train import preset as _preset
from ..train import train as _train
from ._interface import Recommender

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


class Autoencoder(Recommender):
    """A deep autoencoder over rows of ratings (Sedhain et al. 2015; Kuchaiev & Ginsburg 2017).

    With users as rows it answers for people it never met from the ratings they give (fold-in).
    With items as rows a new person has no column in it, so the bias model answers for them.

    Args:
        preset: Name of a preset (``matinee presets`` lists them) or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA where there is one.
        **overrides: Single options by name, over the preset: ``hidden=[64]``, ``epochs=5``.

    Attributes:
        settings: The options.
        network: The trained network, after ``fit``.
        inputs: The fitted input recipe, after ``fit``.
        epochs: Metrics of every epoch, after ``fit``.
        best_epoch: The epoch whose weights the model has: the best by the validation part, or the
            last where none is kept out.
        n_valid: Ratings in the validation part.
        share: What ``shrink`` left of the network's deviations from the bias model; 1 for all.
    """

    kind: ClassVar[str] = "autoencoder"

    def __init__(
        self,
        preset: str = "default",
        *,
        settings: Settings | None = None,
        device: str = "auto",
        **overrides: Any,
    ) -> None:
        self.settings = (settings or _preset(preset)).replace(overrides, "Autoencoder")
        self.device = _device(device)
        self.clip = self.settings.network.clip
        self.network: Network
        self.inputs: Inputs
        self.epochs: list[Epoch] = []
        self.best_epoch = 0
        self.n_valid = 0
        self.share = 1.0
        self._run_folder: RunFolder | None = None
        self._known: Csr | None = None
        self._vectors: Float32 | None = None

    def fit(
        self,
        train: Ratings,
        *,
        seed: int = 0,
        on_epoch: Callable[[Epoch], None] | None = None,
        folder: Path | str | None = None,
        resume: bool = False,
        watch: Mapping[str, Ratings] | None = None,
        measure: Iterable[str] = (),
        **options: Any,
    ) -> Self:
        """Train on ratings.

        Args:
            train: Ratings of at least two users and two items.
            seed: Seeds weights, order, dropout and the validation part.
            on_epoch: Called with each epoch's metrics. What it raises ends training.
            folder: Run folder, for ``metrics.jsonl`` and checkpoints.
            resume: Go on from the folder's checkpoint, to the same weights as without a stop.
            watch: Held-out ratings by name to score after each epoch, for curves. Nothing is
                chosen by them; ratings of unknown users and items are left out, and with them a
                set that has no others.
            measure: Further figures of each epoch, for studies: see ``train.MEASURES``.
            **options: There are no others; a wrong name is an error.

        Returns:
            The model itself.

        Raises:
            DataError: Too few users or items, or a value that is no rating.
            TrainingError: The loss diverged.
            UsageError: Nothing to resume, or the checkpoint is of another run.
        """
        if resume and folder is None:
            raise UsageError("resume needs the folder of the run to go on with")
        return super().fit(
            train,
            seed=seed,
            on_epoch=on_epoch,
            folder=None if folder is None else Path(folder),
            resume=resume,
            watch=watch or {},
            measure=frozenset(measure),
            **options,
        )

    def save(
        self, path: Path | str, *, histories: bool = True, extra: dict[str, Any] | None = None
    ) -> Path:
        """See ``Recommender.save``. The checkpoint of the run that made the model then goes."""
        saved = super().save(path, histories=histories, extra=extra)
        if self._run_folder is not None:
            self._run_folder.remove()
            self._run_folder = None
        return saved

    def _fit(
        self,
        train: Ratings,
        seed: int,
        *,
        on_epoch: Callable[[Epoch], None] | None = None,
        folder: Path | None = None,
        resume: bool = False,
        watch: Mapping[str, Ratings] | None = None,
        measure: frozenset[str] = frozenset(),
    ) -> None:
        run = self._prepare(train, seed, watch or {}, measure)
        place = None
        if folder is not None:
            place = RunFolder(
                folder,
                {
                    "settings": self.settings.model_dump(mode="json"),
                    "seed": seed,
                    "data": self.provenance.fingerprint,
                    "device": self.device,
                },
            )
            place.start(run, resume=resume)
        try:
            for epoch in _train(run):
                if place is not None:
                    place.epoch(run, epoch)
                if on_epoch is not None:
                    on_epoch(epoch)
        finally:
            if place is not None:  # until the model is saved, this is all there is
                place.flush()
        self._run_folder = place
        self.network = run.network.to("cpu")
        self.share = 1.0
        if self.settings.network.shrinks and run.valid:
            self.share = shrink_to_bias(self.network, run.inputs, run.known, run.valid)
        self.inputs = run.inputs
        self.epochs = run.history
        self.best_epoch = run.best_epoch or len(run.history)
        self.n_valid = len(run.valid) if run.valid else 0
        self._vectors = None

    def _prepare(
        self, train: Ratings, seed: int, watch: Mapping[str, Ratings], measure: frozenset[str]
    ) -> Run:
        network_config, train_config = self.settings.network, self.settings.train
        rng = np.random.default_rng(seed)
        by_items = network_config.rows == "items"
        whole = train.by_item if by_items else train.by_user
        low, high = (train.scale.low, train.scale.high) if self.clip else (-np.inf, np.inf)
        known, valid = whole, None
        if train_config.validation:
            known, out = carve(whole, train_config.validation, rng)
            valid = Holdout.of(out, low, high)
        self._known = whole if by_items else None
        offset = self._offset(known)
        inputs = fit_inputs(network_config, known.values, offset)
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        network = Network(network_config, known.n_columns, inputs.table_rows, generator)
        if network_config.bias_start == "mean":
            with torch.no_grad():
                start = column_means(known, offset)
                network.bias_out.copy_(torch.from_numpy(start))
        if self.device != "cpu":  # the same first weights everywhere, the dropout masks there
            network.to(self.device)
            network.generator = torch.Generator(self.device)
            network.generator.manual_seed(int(rng.integers(2**63)))
        watched = {}
        for name, ratings in watch.items():
            csr = self._coded(ratings)
            if len(csr.values):
                watched[name] = Holdout.of(csr, low, high, users_are_columns=by_items)
        own = Holdout.of(known, low, high, users_are_columns=by_items)
        return Run(network, inputs, known, train_config, rng, valid, watched, measure, own)

    def _offset(self, known: Csr) -> Float32:
        """What is taken off every rating of a column."""
        center = self.settings.network.center
        offset = np.zeros(known.n_columns, dtype=np.float32)
        if center == "none":
            return offset
        offset += np.float32(known.values.mean(dtype=np.float64))
        if center == "bias":
            offset += fit_bias(known).item_bias
        return offset

    def _coded(self, ratings: Ratings) -> Csr:
        """Held-out ratings of known users and items, by this model's rows and columns."""
        users = self.user_ids.encode(ratings.user_ids.ids)[ratings.users]
        items = self.item_ids.encode(ratings.item_ids.ids)[ratings.items]
        both = (users >= 0) & (items >= 0)
        users, items, values = users[both], items[both], ratings.values[both]
        if self.settings.network.rows == "items":
            return group(items, users, values, self.n_items, self.n_users)
        return group(users, items, values, self.n_users, self.n_items)

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        if self._known is not None:
            return self._predict_by_items(histories, rows, items)
        indptr = np.searchsorted(rows, np.arange(len(histories) + 1)).astype(np.int64)
        people = np.arange(len(histories), dtype=np.int64)
        return predict_entries(
            self.network, self.inputs, self._csr(histories), people, indptr, items
        )

    def _scores(self, histories: Histories) -> Float32:
        if self._known is not None:
            return self._scores_by_items(histories)
        people = np.arange(len(histories), dtype=np.int64)
        return predict_rows(self.network, self.inputs, self._csr(histories), people)

    def encode(self, histories: Histories) -> Float32:
        """The last hidden layer for people, float32, shape (people, hidden[-1]).

        Raises:
            UsageError: The network's rows are items, so people have no vector.
        """
        self._require_fitted()
        if self._known is not None:
            raise UsageError("with rows = 'items' the network has no vectors for people")
        people = np.arange(len(histories), dtype=np.int64)
        return encode_rows(self.network, self.inputs, self._csr(histories), people)

    def _csr(self, histories: Histories) -> Csr:
        return Csr(histories.indptr, histories.items, histories.values, None, self.n_items)

    # With items as rows: what each item was given in training is its row, people are columns.

    def _item_vectors(self) -> Float32:
        if self._vectors is None:
            assert self._known is not None
            items = np.arange(self._known.n_rows, dtype=np.int64)
            parts = [
                encode_rows(self.network, self.inputs, self._known, items[i : i + 1024])
                for i in range(0, len(items), 1024)
            ]
            self._vectors = np.concatenate(parts)
        return self._vectors

    def _predict_by_items(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        assert self._known is not None
        out = self.bias.predict(histories, rows, items)
        users = histories.users[rows]
        met = np.flatnonzero(users >= 0)
        by_item = met[np.argsort(items[met], kind="stable")]
        asked, starts = np.unique(items[by_item], return_index=True)
        indptr = np.append(starts, len(by_item)).astype(np.int64)
        out[by_item] = predict_entries(
            self.network,
            self.inputs,
            self._known,
            asked.astype(np.int64),
            indptr,
            users[by_item].astype(np.int32),
        )
        return out

    def _scores_by_items(self, histories: Histories) -> Float32:
        assert self._known is not None
        scores = self.bias.item_bias + self.bias.user_bias(histories)[:, None] + self.bias.mean
        scores = scores.astype(np.float32)
        met = np.flatnonzero(histories.users >= 0)
        if len(met):
            users = histories.users[met]
            rows = row_biases(self.inputs, self._known)
            scores[met] = (
                decode_vectors(self.network, self._item_vectors(), users).T
                + self.inputs.offset[users][:, None]
                + rows
            )
        return scores

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        tensors: dict[str, npt.NDArray[Any]] = {
            f"network.{name}": array for name, array in self.network.arrays().items()
        }
        tensors["inputs.levels"] = self.inputs.levels
        tensors["inputs.offset"] = self.inputs.offset
        if self._known is not None:
            tensors["known.indptr"] = self._known.indptr
            tensors["known.indices"] = self._known.indices
            tensors["known.values"] = self._known.values
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "row_reg": self.inputs.row_reg,
            "n_columns": int(self.network.table_out.shape[0]),
            "best_epoch": self.best_epoch,
            "n_valid": self.n_valid,
            "share": self.share,
            "epochs": [epoch.as_dict() for epoch in self.epochs],
        }
        return tensors, config

    @classmethod
    def _restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        settings = Settings.make(config["settings"], "model")
        model = cls(settings=settings, device="cpu")
        model.inputs = Inputs(
            kind=settings.network.input,
            levels=tensors["inputs.levels"],
            sqrt=settings.network.input_scale == "sqrt",
            offset=tensors["inputs.offset"],
            row_reg=float(config["row_reg"]),
        )
        columns = config["n_columns"]
        generator = torch.Generator().manual_seed(0)
        model.network = Network(settings.network, columns, model.inputs.table_rows, generator)
        own = {n.removeprefix("network."): a for n, a in tensors.items() if n.startswith("network")}
        model.network.load_arrays(own)
        if "known.indptr" in tensors:
            model._known = Csr(
                tensors["known.indptr"],
                tensors["known.indices"],
                tensors["known.values"],
                None,
                columns,
            )
        model.best_epoch, model.n_valid = config["best_epoch"], config["n_valid"]
        model.share = config["share"]
        model.epochs = [Epoch(**epoch) for epoch in config["epochs"]]
        return model


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r}: choose cpu, cuda or auto")
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError("device 'cuda': torch sees no CUDA device here; use cpu or auto")
    return name
