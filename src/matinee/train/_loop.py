"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from threading import Event

import numpy as np

from ..base.arrays import Array, Float64
from ..base.threads import ThreadTuner, kernel_thread_tuner
from ..errors import TrainingError
from ._measure import measure
from .config import TrainConfig
from .epoch import Epoch
from .run import Run


def train(run: Run, stop: Event | None = None) -> Iterator[Epoch]:
    """Train, yielding each epoch's metrics; finally restore the weights selected by ``keep``.

    The caller handles progress, pruning, checkpoints and curves, and may stop between two epochs
    and continue later: all state is in ``run``.

    Args:
        run: The run, trained in place.
        stop: Set by another thread to end training after the current step. The run is then in the
            middle of an epoch and cannot be continued.

    Raises:
        TrainingError: The loss is not finite, or above 1e12.
    """
    tuner = kernel_thread_tuner()
    while not run.done:
        with run.threads():
            epoch = _epoch(run, tuner, stop)
        if epoch is None:
            return
        yield epoch
    if run.best_epoch:
        with run.threads():
            _keep(run)


def _epoch(run: Run, tuner: ThreadTuner, stop: Event | None) -> Epoch | None:
    """Run one epoch and return its metrics; None if ``stop`` was set in between."""
    epoch = len(run.history) + 1
    started = time.perf_counter()
    sums = _steps(run, tuner, stop)
    if sums is None:
        return None
    seconds = time.perf_counter() - started
    losses, squares = sums
    watched, measured = measure(run)
    metrics = Epoch(
        epoch=epoch,
        loss=run.unit**2 * float(losses.mean()),
        train_rmse=run.unit * float(np.sqrt(squares).mean()),
        valid_rmse=_validate(run),
        watched=watched,
        learning_rate=run.backend.learning_rate(epoch * len(run.cuts)),
        seconds=seconds,
        ratings_per_second=int(run.counts.sum()) / seconds,
        measured=measured,
        member=run.member,
        teacher=run.teacher,
    )
    run.history.append(metrics)
    return metrics


def _steps(run: Run, tuner: ThreadTuner, stop: Event | None) -> tuple[Float64, Float64] | None:
    """Take the steps of an epoch; return the loss and the MSE of each, (batches,) each.

    None if ``stop`` was set in between.
    """
    epoch, counts = len(run.history) + 1, run.counts
    step = (epoch - 1) * len(run.cuts)
    run.network.train()
    losses, squares = np.empty(len(run.cuts)), np.empty(len(run.cuts))
    order = run.rng.permutation(run.rows)
    salts = run.rng.integers(0, 2**63, size=len(run.cuts))
    with tuner.session():
        for number, rows in enumerate(np.split(order, run.cuts[1:])):
            if stop is not None and stop.is_set():
                return None
            step += 1
            with tuner(int(counts[rows].sum())):
                batch = run.batch(rows, salt=int(salts[number]))
                losses[number] = run.backend.step(batch, step)
                squares[number] = run.backend.mse
            if not losses[number] < 1e12:  # NaN fails this too
                raise TrainingError(_advice(losses[number], epoch, number + 1, run.config))
    run.backend.flush(step)
    return losses, squares


def _validate(run: Run) -> float | None:
    """Return the validation RMSE, if this epoch is scored, and keep the best epoch's weights."""
    network, config, epoch = run.network, run.config, len(run.history) + 1
    if not run.valid or (epoch % config.score_every and epoch != config.epochs):
        return None
    rmse = run.unit * run.valid.rmse(network, run.inputs, run.known, run.base)
    before = run.history[run.best_epoch - 1].valid_rmse if run.best_epoch else None
    if before is None or rmse < before:
        run.best_epoch = epoch
        # After the last epoch the network has these weights. With a score of the bias model, later
        # weights are no worse, and are kept.
        if epoch < config.epochs and not (config.keep == "settled" and rmse == run.bias_rmse):
            _copy_weights(network.arrays(), run.best)
    return rmse


def _copy_weights(arrays: Mapping[str, Array], to: dict[str, Array]) -> None:
    """Copy arrays into those of ``to``, allocating them the first time.

    Allocating in every epoch would cost more than copying: the system clears new memory.
    """
    for name, array in arrays.items():
        if name in to and to[name].flags.writeable:
            np.copyto(to[name], array)
        else:
            to[name] = array.copy()


def _keep(run: Run) -> None:
    """Restore the weights of the best epoch.

    With ``keep = "settled"``, keep the last epoch if its mean squared validation error is
    higher by at most three standard errors.
    """
    network, held = run.network, run.valid
    if run.best_epoch == len(run.history):
        return  # the network has these weights
    if not run.best:
        run.best_epoch = len(run.history)
        return
    if run.config.keep == "best" or held is None:
        network.load_arrays(run.best)
        return
    last = {name: array.copy() for name, array in network.arrays().items()}
    errors = held.squared_errors(network, run.inputs, run.known, run.base)
    network.load_arrays(run.best)
    worse = errors - held.squared_errors(network, run.inputs, run.known, run.base)
    if worse.mean() <= 3.0 * worse.std() / np.sqrt(len(worse)):
        network.load_arrays(last)
        run.best_epoch = len(run.history)


def _advice(loss: float, epoch: int, step: int, config: TrainConfig) -> str:
    shown = "not a number" if np.isnan(loss) else f"{loss:.3g}"
    return (
        f"training diverged: the loss is {shown} at epoch {epoch}, step {step}; lower "
        f"learning_rate (now {config.learning_rate:g}), add warmup, use center = 'mean' so that "
        "the network starts near the ratings' mean, or divide ratings that are in the hundreds"
    )
