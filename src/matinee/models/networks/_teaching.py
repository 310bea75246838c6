"""What a network learns from another one, which is trained first on the same ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...data import Ratings
from ...errors import UsageError
from ...train import Epoch, Lessons, Run, RunFolder, Teacher, fit_shrinkage
from ...train.checkpoint import CHECKPOINT
from ...train.distributed import Group
from ..settings import Settings
from .training import execute, prepare

Mask = npt.NDArray[np.bool_]


def teacher_of(run: Run) -> Teacher:
    """What a run that is done says, as it was trained: its validation part had no share in it.

    Call it before ``finished``, which changes the network.
    """
    share, inputs = 1.0, run.inputs
    if run.valid and run.network.config.shrinks:
        share, inputs = fit_shrinkage(run.network, run.inputs, run.known, run.valid)
    return Teacher.of(run.network, inputs, run.known, share)


def lessons(run: Run, teachers: Sequence[Teacher], train: Ratings, *, clip: bool) -> Lessons:
    """Lessons of some teachers for a run that is about to begin."""
    low, high = (train.scale.low, train.scale.high) if clip else (-np.inf, np.inf)
    return Lessons(run.known, teachers, run.config.teacher_weight, low, high)


def train_teacher(
    train: Ratings,
    settings: Settings,
    seed: int,
    *,
    clip: bool,
    held: Mask | None,
    device: str = "cpu",
    member: int = 0,
    group: Group,
    folder: RunFolder | None = None,
    resume: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[Teacher, list[Epoch]]:
    """Train the teacher that a network's settings ask for.

    Args:
        train: Compact ratings.
        settings: The network's options, not the teacher's.
        seed: The teacher's.
        clip: Whether predictions are clipped to the scale.
        held: Which ratings are the network's validation part, which the teacher's is too.
        device: "cpu" or a CUDA device.
        member: Number of the network in its ensemble; 0 for none.
        group: The processes that train together.
        folder: For metrics and the teacher's own checkpoint.
        resume: Go on from that checkpoint, if there is one.
        on_epoch: Told of each epoch.

    Returns:
        The teacher, and its epochs.
    """
    run, _ = prepare(
        train,
        settings.teacher(),
        seed,
        clip=clip,
        device=device,
        held=held,
        member=member,
        teaches=True,
        group=group,
    )
    execute(run, folder=folder, resume=goes_on(folder, resume, group), on_epoch=on_epoch)
    return teacher_of(run), run.history


def goes_on(place: RunFolder | None, resume: bool, group: Group) -> bool:
    """Whether one run of several in a folder has begun, and is to be gone on with.

    The first process alone has a folder; the others ask it.
    """
    begun = resume and place is not None and place.checkpoint.exists()
    return bool(group.broadcast(b"1" if begun else b""))


def check_resumable(folder: Path | None, resume: bool) -> None:
    """Refuse to go on where none of several runs has begun.

    Raises:
        UsageError: The folder has no checkpoint.
    """
    if resume and folder is not None and not any(folder.glob(f"{CHECKPOINT}*")):
        raise UsageError(f"{folder}: no checkpoint to resume; leave out --resume to start anew")


def seed_of(seed: int, *numbers: int) -> int:
    """The own seed of one network of several; those of neighbouring seeds share none."""
    sequence = np.random.SeedSequence([seed, *numbers])
    return int(sequence.generate_state(1, np.uint64)[0])
