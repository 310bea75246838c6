"""The run folder: the metrics of each epoch, and a checkpoint for bit-identical resumption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save, save_file

from ..base.arrays import Array, State, without_prefix
from ..base.atomic import atomic_path, write_text
from ..config import differing
from ..errors import MatineeError, ModelFileError, UsageError
from .epoch import Epoch
from .shards.tables import spread, width_of, write_arrays

if TYPE_CHECKING:
    from .run import Run


CHECKPOINT = "checkpoint"
METRICS = "metrics.jsonl"
SECONDS = 10.0
"""Least number of seconds between checkpoints, which are written at the end of an epoch. The state
of the last epoch is kept in memory in between, and written when training is interrupted."""


class RunFolder:
    """Writes and reads the metrics and the checkpoint of a training run.

    Args:
        path: The folder; created if absent.
        identity: Settings, seed and data fingerprint of the run. The checkpoint of a run with
            another identity is not resumed.
        name: Name of the checkpoint, in a folder shared by several runs.
        upgrade: Converts the identity that an earlier version wrote.

    Attributes:
        checkpoint: The checkpoint's file.
        small: Of a run with tables in blocks that is resumed, all but these.
    """

    def __init__(
        self,
        path: Path,
        identity: dict[str, Any],
        *,
        name: str = CHECKPOINT,
        upgrade: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        self.path = path
        self.checkpoint = path / f"{name}.safetensors"
        self._upgrade = upgrade
        self._identity = json.loads(json.dumps(identity))
        self._pending: State | None = None
        self.small: State = {}, {}
        self._written = time.monotonic()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MatineeError(f"{path}: cannot make the run folder: {error.strerror}") from None

    def start(self, run: Run, *, resume: bool) -> None:
        """Start a new run in the folder, or restore the run from its checkpoint.

        Raises:
            UsageError: There is no checkpoint, or it belongs to another run.
            ModelFileError: The checkpoint is damaged.
        """
        if resume:
            self._load(run)
        else:
            self.checkpoint.unlink(missing_ok=True)

    def write_metrics(self, epochs: Sequence[Epoch]) -> None:
        """Write the metrics of all epochs so far, including earlier runs in the folder."""
        write_text(self.path / METRICS, "".join(_line(epoch) for epoch in epochs))

    def add_metrics(self, epoch: Epoch) -> None:
        """Add the metrics of an epoch."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(_line(epoch))

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """Record an epoch; write a checkpoint if the last is more than ``SECONDS`` old."""
        self.add_metrics(epoch)
        self._pending = _snapshot(run)
        if self._is_old:
            self.flush()

    @property
    def _is_old(self) -> bool:
        return time.monotonic() - self._written >= SECONDS

    def save(self, run: Run) -> None:
        """Write a checkpoint if the run is done or the last is more than ``SECONDS`` old.

        Unlike ``epoch``, it does not write metrics or keep a copy of the state in memory.
        """
        if run.done or self._is_old:
            self._pending = _snapshot(run)
            self.flush()

    def epoch_together(self, run: Run, epoch: Epoch) -> bool:
        """Record an epoch of a run with tables in blocks; return whether a checkpoint is due."""
        self.add_metrics(epoch)
        return run.done or self._is_old

    def flush(self) -> None:
        """Write the state of the last epoch, unless already written."""
        if self._pending is None:
            return
        arrays, state = self._pending
        with self.replaced(state) as (file, notes):
            save_file(arrays, file, metadata=notes)
        self._pending = None

    @contextmanager
    def replaced(self, state: dict[str, Any]) -> Iterator[tuple[Path, dict[str, str]]]:
        """Yield the path to write a checkpoint of this state to, and its metadata."""
        notes = {"identity": json.dumps(self._identity), "state": _as_json(state)}
        with atomic_path(self.checkpoint) as file:
            yield file, notes
        self._written = time.monotonic()

    def remove(self) -> None:
        """Remove the checkpoint, once the model is saved."""
        self._pending = None
        self.checkpoint.unlink(missing_ok=True)

    def _load(self, run: Run) -> None:
        file = self.checkpoint
        if not file.exists():
            raise UsageError(f"{file}: no checkpoint to resume; leave out --resume to start anew")
        try:
            with safe_open(file, framework="numpy") as content:
                notes = content.metadata() or {}
                names = [n for n in content.keys() if width_of(n, run.network) is None]  # noqa: SIM118
                arrays = {name: content.get_tensor(name) for name in names}
            identity = self._upgrade(json.loads(notes["identity"]))
            state = json.loads(notes["state"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise _damaged(file, error) from None
        for key, value in self._identity.items():
            if identity.get(key) != value:
                raise UsageError(
                    f"{file}: the {key} changed since it was made "
                    f"({_short(identity.get(key), value)}); resume with the same settings, seed "
                    "and data, or leave out --resume to start anew"
                )
        if run.network.blocks is not None:
            self.small = arrays, state  # ``share`` reads the tables
            return
        _restore_checked(run, arrays, state, file)


def drop_checkpoints(path: Path) -> None:
    """Remove earlier runs' checkpoints from a folder, so that none is resumed by mistake."""
    for file in path.glob(f"{CHECKPOINT}*.safetensors"):
        file.unlink(missing_ok=True)


def record(run: Run, folder: RunFolder | None, epoch: Epoch) -> None:
    """Record an epoch, and write a checkpoint if it is time to; to be called in every process.

    With tables in blocks no copy of the state is kept, and the processes write it together.

    Args:
        run: The run.
        folder: Its folder; None in processes other than rank 0, or without a folder.
        epoch: The metrics.
    """
    if run.network.blocks is None:
        if folder is not None:
            folder.epoch(run, epoch)
        return
    due = folder is not None and folder.epoch_together(run, epoch)
    if not run.group.broadcast(b"1" if due else b""):
        return
    arrays, state = _state(run)
    with ExitStack() as stack:
        file, notes = (None, {}) if folder is None else stack.enter_context(folder.replaced(state))
        write_arrays(file, arrays, notes, run.network)


def share(run: Run, folder: RunFolder | None = None) -> None:
    """Copy the state of rank 0's run to the runs of all processes.

    With tables in blocks each gets its columns of those in the checkpoint of rank 0's folder.
    """
    if run.network.blocks is not None:
        _share_blocks(run, folder)
    elif not run.group.alone:
        arrays, state = _snapshot(run)
        text = run.group.broadcast(_as_json(state).encode())
        _restore(run, load(run.group.broadcast(save(arrays))), json.loads(text))


def _share_blocks(run: Run, folder: RunFolder | None) -> None:
    arrays, state = ({}, {}) if folder is None else folder.small
    with ExitStack() as stack:
        content, tables = None, {}
        if folder is not None:
            content = stack.enter_context(safe_open(folder.checkpoint, framework="numpy"))
            names = [name for name in content.keys() if name not in arrays]  # noqa: SIM118
            tables = {name: content.get_slice(name).get_shape() for name in names}
        state, tables = json.loads(run.group.broadcast(json.dumps([state, tables]).encode()))
        arrays = load(run.group.broadcast(save(arrays)))
        for name, shape in tables.items():
            table = None if content is None else content.get_slice(name)
            arrays[name] = spread(run.network, shape, table)
    _restore_checked(run, arrays, state, folder.checkpoint if folder else Path(CHECKPOINT))


def _damaged(file: Path, error: Exception) -> ModelFileError:
    detail = str(error).partition("\n")[0]
    return ModelFileError(f"{file}: damaged ({detail}); start anew without --resume")


def _snapshot(run: Run) -> State:
    """Copy the state of a run between two epochs."""
    arrays, state = _state(run)
    best = {f"best.{name}" for name in run.best}
    return {n: each if n in best else each.copy() for n, each in arrays.items()}, state


def _state(run: Run) -> State:
    """Return the state of a run between two epochs; arrays are those in use."""
    arrays = {f"network.{name}": array for name, array in run.network.arrays().items()}
    arrays |= {f"engine.{name}": array for name, array in run.backend.state().items()}
    arrays |= {f"best.{name}": array for name, array in run.best.items()}
    arrays["generator"] = run.network.generator.get_state().numpy()
    state = {
        "best_epoch": run.best_epoch,
        "history": list(run.history),
        "rng": run.rng.bit_generator.state,
    }
    return arrays, state


def _restore(run: Run, arrays: dict[str, Array], state: dict[str, Any]) -> None:
    """Restore a ``_snapshot``, with the state as read from JSON."""
    run.network.load_arrays(without_prefix("network.", arrays))
    run.backend.restore(without_prefix("engine.", arrays))
    run.best = without_prefix("best.", arrays)
    run.best_epoch = state["best_epoch"]
    run.history[:] = [Epoch(**epoch) for epoch in state["history"]]
    run.rng.bit_generator.state = state["rng"]
    import torch

    run.network.generator.set_state(torch.from_numpy(arrays["generator"]))


def _restore_checked(run: Run, arrays: dict[str, Array], state: dict[str, Any], file: Path) -> None:
    """Restore what was read from a checkpoint.

    Raises:
        ModelFileError: Something is missing, or does not fit the run.
    """
    try:
        _restore(run, arrays, state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(file, error) from None


def _as_json(state: dict[str, Any]) -> str:
    return json.dumps({**state, "history": [epoch.as_dict() for epoch in state["history"]]})


def _line(epoch: Epoch) -> str:
    return json.dumps(epoch.as_dict()) + "\n"


def _short(was: Any, now: Any) -> str:
    """Return the names of differing options, or both values if they are not options."""
    if not isinstance(was, dict) or not isinstance(now, dict):
        return f"{was!r}, now {now!r}"
    return ", ".join(differing(was, now))
