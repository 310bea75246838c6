"""``RunContext``: device, folder, processes and callbacks of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Ratings
from ..errors import UsageError
from .checkpoint import CHECKPOINT, RunFolder
from .distributed import ALONE, ProcessGroup
from .epoch import Epoch


@dataclass(frozen=True)
class RunContext:
    """The environment of a training run: everything that does not affect the trained model.

    Attributes:
        identity: Settings, seed and data fingerprint, JSON-serialisable, by which checkpoints are
            recognised.
        clip: Whether predictions are clipped to the scale for scoring.
        device: "cpu" or a CUDA device.
        group: The processes of a distributed run.
        folder: Folder for metrics and checkpoints; None in processes other than rank 0.
        shard_tables: Whether each of several processes with some users' ratings holds a block of
            the tables' columns; None if the tables need much of the memory.
        resume: Whether to resume from the checkpoints in ``folder``.
        watch: Held-out ratings by name, to score after each epoch.
        measure: Further measures of each epoch: see ``MEASURES``.
        on_epoch: Called with each epoch's metrics.
        upgrade: Converts the identity that an earlier version wrote.
        opened: The run folders opened so far, one for each checkpoint.
    """

    identity: Mapping[str, Any] = field(default_factory=dict)
    clip: bool = True
    device: str = "cpu"
    group: ProcessGroup = ALONE
    shard_tables: bool | None = None
    folder: Path | None = None
    resume: bool = False
    watch: Mapping[str, Ratings] = field(default_factory=dict)
    measure: frozenset[str] = frozenset()
    on_epoch: Callable[[Epoch], None] | None = None
    upgrade: Callable[[dict[str, Any]], dict[str, Any]] = dict
    opened: list[RunFolder] = field(default_factory=list)

    def run_folder(self, name: str, unit: float = 1.0) -> RunFolder | None:
        """Open the metrics and checkpoint of one network's run; None without a folder.

        The unit of the ratings in which it is trained is part of the run's identity unless it is
        1, as for all runs of earlier versions.
        """
        if self.folder is None:
            return None
        identity = {**self.identity} if unit == 1.0 else {**self.identity, "unit of ratings": unit}
        opened = RunFolder(self.folder, identity, name=name, upgrade=self.upgrade)
        self.opened.append(opened)
        return opened

    def begun(self, folder: RunFolder | None) -> bool:
        """Return whether a run has a checkpoint to resume; all processes agree with rank 0."""
        exists = self.resume and folder is not None and folder.checkpoint.exists()
        return bool(self.group.broadcast(b"1" if exists else b""))

    def check_resumable(self, pattern: str = f"{CHECKPOINT}*") -> None:
        """Check that there is a checkpoint to resume.

        Raises:
            UsageError: The folder has no checkpoint with a name of this pattern.
        """
        if self.resume and self.folder is not None and not any(self.folder.glob(pattern)):
            raise UsageError(
                f"{self.folder}: no checkpoint to resume; leave out --resume to start anew"
            )


def choose_device(name: str) -> str:
    """Return the torch device for "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        UsageError: Another device, or CUDA if it is not available.
    """
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r}: choose cpu, cuda or auto")
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError("device 'cuda': torch finds no CUDA device; use cpu or auto")
    return name


def seed_of(seed: int, *numbers: int) -> int:
    """Derive the seed of one of several networks; different base seeds share none."""
    sequence = np.random.SeedSequence([seed, *numbers])
    return int(sequence.generate_state(1, np.uint64)[0])
