"""The run folder: the metrics of each epoch, and a checkpoint for bit-identical resumption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save, save_file

from ..base.arrays import Array, State, without_prefix
from ..base.atomic import atomic_path, write_text
from ..config import differing
from ..errors import MatineeError, ModelFileError, UsageError
from .epoch import Epoch

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
        if time.monotonic() - self._written >= SECONDS:
            self.flush()

    def save(self, run: Run) -> None:
        """Write a checkpoint if the run is done or the last is more than ``SECONDS`` old.

        Unlike ``epoch``, it does not write metrics or keep a copy of the state in memory.
        """
        if run.done or time.monotonic() - self._written >= SECONDS:
            self._pending = _snapshot(run)
            self.flush()

    def flush(self) -> None:
        """Write the state of the last epoch, unless already written."""
        if self._pending is None:
            return
        arrays, state = self._pending
        notes = {"identity": json.dumps(self._identity), "state": _as_json(state)}
        with atomic_path(self.checkpoint) as file:
            save_file(arrays, file, metadata=notes)
        self._pending = None
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
                arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
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
        try:
            _restore(run, arrays, state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise _damaged(file, error) from None


def drop_checkpoints(path: Path) -> None:
    """Remove earlier runs' checkpoints from a folder, so that none is resumed by mistake."""
    for file in path.glob(f"{CHECKPOINT}*.safetensors"):
        file.unlink(missing_ok=True)


def share(run: Run) -> None:
    """Copy the state of rank 0's run to the runs of all processes."""
    if run.group.alone:
        return
    arrays, state = _snapshot(run)
    text = run.group.broadcast(_as_json(state).encode())
    _restore(run, load(run.group.broadcast(save(arrays))), json.loads(text))


def _damaged(file: Path, error: Exception) -> ModelFileError:
    detail = str(error).partition("\n")[0]
    return ModelFileError(f"{file}: damaged ({detail}); start anew without --resume")


def _snapshot(run: Run) -> State:
    """Copy the state of a run between two epochs."""
    arrays = {f"network.{name}": array.copy() for name, array in run.network.arrays().items()}
    arrays |= {f"engine.{name}": array.copy() for name, array in run.backend.state().items()}
    arrays |= {f"best.{name}": array for name, array in run.best.items()}
    arrays["generator"] = run.network.generator.get_state().numpy().copy()
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


def _as_json(state: dict[str, Any]) -> str:
    return json.dumps({**state, "history": [epoch.as_dict() for epoch in state["history"]]})


def _line(epoch: Epoch) -> str:
    return json.dumps(epoch.as_dict()) + "\n"


def _short(was: Any, now: Any) -> str:
    """Return the names of differing options, or both values if they are not options."""
    if not isinstance(was, dict) or not isinstance(now, dict):
        return f"{was!r}, now {now!r}"
    return ", ".join(differing(was, now))
