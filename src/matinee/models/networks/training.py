"""From ratings and settings to a ``FittedNetwork``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from ...baseline import column_means, fit_bias
from ...baseline.spread import Errors
from ...data import Csr, Histories, Ratings, group
from ...errors import UsageError
from ...nn import Network, fit_inputs
from ...train import (
    Epoch,
    Holdout,
    Run,
    RunFolder,
    carve_rows,
    center_columns,
    part,
    share,
    shrink_to_bias,
    validation_share,
)
from ...train import train as _train
from ...train.distributed import ALONE, Group
from ..settings import Settings
from ._fitted import FittedNetwork

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def prepare(
    train: Ratings,
    settings: Settings,
    seed: int,
    *,
    clip: bool,
    device: str = "cpu",
    watch: Mapping[str, Ratings] | None = None,
    measure: frozenset[str] = frozenset(),
    held: Mask | None = None,
    member: int = 0,
    teaches: bool = False,
    group: Group = ALONE,
) -> tuple[Run, Mask | None]:
    """A run that is ready to train.

    Args:
        train: Compact ratings.
        settings: The options.
        seed: Seeds weights, order, dropout and, unless it is given, the validation part.
        clip: Whether predictions are clipped to the scale.
        device: "cpu" or a CUDA device.
        watch: Held-out ratings by name, to score each epoch.
        measure: Further figures of each epoch: see ``train.MEASURES``.
        held: Which ratings are the validation part, shape (len(train),), where that is settled.
        member: Number in the ensemble, from 1; 0 for none.
        teaches: Whether it is trained to teach another network.
        group: The processes that train together.

    Returns:
        The run, and which ratings are its validation part, shape (len(train),).
    """
    rng = np.random.default_rng(seed)
    by_items = settings.network.rows == "items"
    whole = train.by_item if by_items else train.by_user
    low, high = (train.scale.low, train.scale.high) if clip else (-np.inf, np.inf)
    known, valid = whole, None
    if held is None and settings.train.validation:
        kept_out = validation_share(settings.train.validation, len(train))
        held = np.empty(len(train), dtype=bool)
        held[_places(whole)] = carve_rows(whole, kept_out, rng)
    if held is not None:
        known, out = part(whole, held)
        valid = Holdout.of(out, low, high, group=group)
    offset = _offset(known, settings.network.center)
    inputs = fit_inputs(settings.network, known.values, offset)
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    shape = settings.network.within(known.n_columns, inputs.table_rows)
    network = Network(shape, known.n_columns, inputs.table_rows, generator)
    if settings.network.bias_start == "mean":
        with torch.no_grad():
            start = column_means(known, offset)
            network.bias_out.copy_(torch.from_numpy(start))
    if device != "cpu":  # the same first weights everywhere, the dropout masks there
        network.to(device)
        network.generator = torch.Generator(network.table_in.device)
        network.generator.manual_seed(int(rng.integers(2**63)))
    watched = {}
    for name, ratings in (watch or {}).items():
        csr = _coded(ratings, train, settings)
        if len(csr.values):
            watched[name] = Holdout.of(csr, low, high, users_are_columns=by_items, group=group)
    own = None
    if "training" in measure:
        own = Holdout.of(known, low, high, users_are_columns=by_items, group=group)
    run = Run(
        network,
        inputs,
        known,
        settings.train,
        rng,
        valid,
        watch=watched,
        member=member,
        teaches=teaches,
        measures=measure,
        training=own,
        group=group,
    )
    return run, held


def execute(
    run: Run,
    *,
    folder: RunFolder | None = None,
    resume: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> None:
    """Train a run to its end, with metrics and checkpoints in a folder; centre it if that is asked.

    Of several processes the first alone has a folder; all of them resume by it.
    """
    if folder is not None:
        folder.start(run, resume=resume)
    if resume:
        share(run)
    try:
        for epoch in _train(run):
            if folder is not None:
                folder.epoch(run, epoch)
            if on_epoch is not None:
                on_epoch(epoch)
    finally:
        if folder is not None:  # until the model is saved, this is all there is
            folder.flush()
    run.network.to("cpu")
    if run.network.config.centers_output:
        center_columns(run.network, run.inputs, run.known)


def finished(
    run: Run,
    train: Ratings,
    settings: Settings,
    *,
    shrink: bool = True,
    taught: Sequence[Epoch] = (),
) -> FittedNetwork:
    """What a run has learned.

    Args:
        run: A run that is done.
        train: The ratings it was prepared with.
        settings: Its options.
        shrink: Whether to shrink towards the bias model, where the options say so; without,
            long rows are still weighed against short ones.
        taught: The epochs of its teacher.
    """
    share = 1.0
    if settings.network.shrinks and run.valid:
        share, run.inputs = shrink_to_bias(
            run.network, run.inputs, run.known, run.valid, whole=not shrink
        )
    inputs = run.inputs
    if run.valid:  # the validation part has done its work; what is known of columns is from all
        whole = train.by_item if settings.network.rows == "items" else train.by_user
        inputs = replace(inputs, offset=_offset(whole, settings.network.center))
    return FittedNetwork(
        settings=settings.model_copy(update={"network": run.network.config}),
        network=run.network,
        inputs=inputs,
        known=train.by_item if settings.network.rows == "items" else None,
        epochs=run.history,
        best_epoch=run.best_epoch or len(run.history),
        n_valid=len(run.valid) if run.valid else 0,
        share=share,
        teacher_epochs=list(taught),
    )


def held_predictions(run: Run, train: Ratings, held: Mask) -> Float64:
    """What the network, as it is, says of the validation part without seeing it.

    Returns:
        float64 (n,), not clipped, in the order that the part has in ``train.by_user``.
    """
    assert run.valid is not None
    told = run.valid.predict(run.network, run.inputs, run.known)
    if run.network.config.rows == "users":
        return told
    by_item = _places(train.by_item)[train.by_item.aligned(held)]
    by_user = _places(train.by_user)[train.by_user.aligned(held)]
    ordered = np.empty(len(told))
    ordered[np.argsort(by_user)] = told[np.argsort(by_item)]
    return ordered


def held_bias(train: Ratings, held: Mask) -> Float64:
    """What the bias model of the other ratings says of the validation part, likewise."""
    known, out = part(train.by_user, held)
    rows = np.repeat(np.arange(out.n_rows), out.counts)
    return fit_bias(known).predict(Histories.of(known), rows, out.indices)


def held_errors(train: Ratings, held: Mask, *told: tuple[Float64, Float64 | None]) -> Errors:
    """Predictions of the validation part, to fit the spread on.

    Args:
        train: The training ratings.
        held: Which are the validation part.
        *told: Predictions in the order of ``held_predictions``, and what the model adds to each
            (n, k); several where it answers in several ways.
    """
    entries = np.flatnonzero(train.by_user.aligned(held))
    extras = [extra for _, extra in told if extra is not None]
    return Errors(
        np.tile(entries, len(told)),
        np.concatenate([predictions for predictions, _ in told]),
        "validation",
        np.vstack(extras) if extras else None,
    )


def choose_device(name: str) -> str:
    """The torch device meant by "auto", "cpu", "cuda" or the like.

    Raises:
        UsageError: Neither the CPU nor CUDA, or CUDA where there is none.
    """
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


def _places(csr: Csr) -> Int64:
    """Where each entry stood in the ratings."""
    return np.arange(len(csr.values)) if csr.order is None else csr.order


def _offset(known: Csr, center: str) -> Float32:
    """What is taken off every rating of a column."""
    offset = np.zeros(known.n_columns, dtype=np.float32)
    if center == "none":
        return offset
    offset += np.float32(known.values.mean(dtype=np.float64))
    if center == "bias":
        offset += fit_bias(known).item_bias
    return offset


def _coded(ratings: Ratings, train: Ratings, settings: Settings) -> Csr:
    """Held-out ratings of known users and items, by the network's rows and columns."""
    users = train.user_ids.encode(ratings.user_ids.ids)[ratings.users]
    items = train.item_ids.encode(ratings.item_ids.ids)[ratings.items]
    both = (users >= 0) & (items >= 0)
    users, items, values = users[both], items[both], ratings.values[both]
    if settings.network.rows == "items":
        return group(items, users, values, train.n_items, train.n_users)
    return group(users, items, values, train.n_users, train.n_items)
