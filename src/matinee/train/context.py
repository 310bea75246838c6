"""``RunContext``: how and where a model is trained, as opposed to what is trained on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data import Ratings
from ..errors import UsageError
from .checkpoint import CHECKPOINT, RunFolder
from .distributed import ALONE, ProcessGroup
from .epoch import Epoch


@dataclass(frozen=True)
class RunContext:
    """How and where a model is trained.

    Attributes:
        identity: What the run is, JSON-able, so that no checkpoint of another is taken for its own.
        clip: Whether predictions are clipped to the scale when they are scored.
        device: "cpu" or a CUDA device.
        group: The processes that train together.
        folder: For metrics and checkpoints; of several processes, the first alone has one.
        resume: Whether to go on from the checkpoints in it.
        watch: Held-out ratings by name, to score after each epoch.
        measure: Further figures of each epoch: see ``MEASURES``.
        on_epoch: Called with each epoch's metrics.
        upgrade: Puts an identity that an earlier version wrote into this version's form.
        opened: The run folders opened so far, one for each checkpoint.
    """

    identity: Mapping[str, Any] = field(default_factory=dict)
    clip: bool = True
    device: str = "cpu"
    group: ProcessGroup = ALONE
    folder: Path | None = None
    resume: bool = False
    watch: Mapping[str, Ratings] = field(default_factory=dict)
    measure: frozenset[str] = frozenset()
    on_epoch: Callable[[Epoch], None] | None = None
    upgrade: Callable[[dict[str, Any]], dict[str, Any]] = dict
    opened: list[RunFolder] = field(default_factory=list)

    def run_folder(self, name: str, before: Sequence[Epoch]) -> RunFolder | None:
        """Where a network's run leaves its metrics and its checkpoint, if anywhere.

        Args:
            name: Of the checkpoint.
            before: Epochs of earlier runs, whose metrics stand in the same file.
        """
        if self.folder is None:
            return None
        made = RunFolder(
            self.folder, dict(self.identity), name=name, before=before, upgrade=self.upgrade
        )
        self.opened.append(made)
        return made

    def begun(self, place: RunFolder | None) -> bool:
        """Whether one run of several in a folder has begun, and is to be gone on with.

        The first process alone has a folder; the others ask it.
        """
        found = self.resume and place is not None and place.checkpoint.exists()
        return bool(self.group.broadcast(b"1" if found else b""))

    def check_resumable(self, pattern: str = f"{CHECKPOINT}*") -> None:
        """Refuse to go on where nothing has begun.

        Raises:
            UsageError: The folder has no checkpoint of such a name.
        """
        if self.resume and self.folder is not None and not any(self.folder.glob(pattern)):
            raise UsageError(
                f"{self.folder}: no checkpoint to resume; leave out --resume to start anew"
            )


def choose_device(name: str) -> str:
    """The torch device meant by "auto", "cpu", "cuda" or the like.

    Raises:
        UsageError: Neither the CPU nor CUDA, or CUDA where there is none.
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
        raise UsageError("device 'cuda': torch sees no CUDA device here; use cpu or auto")
    return name
