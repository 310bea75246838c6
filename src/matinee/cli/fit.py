"""Train, score and save: shared by ``train`` and ``quickstart``."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .output import command_line, note
from .parts import Parts
from .show.epochs import Progress
from .show.scores import as_object

if TYPE_CHECKING:
    from ..evaluate import Evaluation, ListEvaluation
    from ..models import Settings, Trainable
    from ..train import Epoch, ProcessGroup


@dataclass(frozen=True)
class Fitted:
    """A trained, scored and saved model; ``notes`` are those of this training."""

    model: Trainable
    score: Evaluation | None
    folder: Path
    lists: ListEvaluation | None = None
    notes: tuple[str, ...] = ()

    def as_object(self, **more: Any) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        curve = []
        for epoch in self.model.epochs:
            row: dict[str, Any] = {
                "epoch": epoch.epoch,
                "loss": epoch.loss,
                "train_rmse": epoch.train_rmse,
                "valid_rmse": epoch.valid_rmse,
                "seconds": epoch.seconds,
            }
            if epoch.member:
                row["member"] = epoch.member
            row |= {f"{name}_rmse": rmse for name, rmse in epoch.watched.items()}
            curve.append(row)
        lists = None
        if self.lists is not None:
            lists = self.lists.summary()
            if self.score is None:
                more["n_test"] = self.lists.n_test
        return as_object(self.model, self.folder, self.score, lists=lists, curve=curve, **more)


def default_folder(dataset: str, preset: str) -> Path:
    """Return the default folder of a model."""
    return Path("models") / file_name(f"{dataset}-{preset_label(preset)}")


def preset_label(preset: str) -> str:
    """Return the name of a preset, or of a TOML file without its ending."""
    return Path(preset).stem if preset.endswith(".toml") else preset


def file_name(words: str) -> str:
    """Return a text as the name of a file; "" if nothing of it can be."""
    return re.sub(r"[^\w.-]+", "-", words).strip("-.")


def fit(
    settings: Settings,
    parts: Parts,
    out: Path,
    *,
    preset: str,
    seed: int,
    command: Sequence[str] | None = None,
    device: str = "auto",
    resume: bool = False,
    watch: bool = False,
    quiet: bool = False,
    group: ProcessGroup | None = None,
    base: Path | None = None,
    epochs: int | None = None,
    shard_tables: bool | None = None,
) -> Fitted | None:
    """Train on the parts, score, and save to a folder.

    With ``command``, the arguments of a command that has ``--resume``, a run is kept and Ctrl-C
    prints how to continue. With ``base``, that model folder is updated for ``epochs`` with the
    parts, and its settings are used. Of the processes of a ``group`` only the first scores and
    saves.

    Returns:
        The model; None in a process that is not the first.

    Raises:
        UsageError: ``out`` has other content, or there is nothing to resume.
        TrainingError: The loss diverged.
    """
    from ..models import Trainable, check_place, load_model, model as make_model
    from ..train import ProcessGroup, choose_device

    group = group or ProcessGroup()
    model = make_model(settings=settings, device=device) if base is None else load_model(base)
    assert isinstance(model, Trainable)
    model.device = choose_device(device)
    earlier = parts.train.notes if base is None else (*parts.train.notes, *model.provenance.notes)
    replaces = check_place(out)
    if not resume and any(out.glob("checkpoint*")):
        note(f"matinee: {out}: an unfinished run there is dropped (--resume would go on with it)")
    elif replaces:
        note(f"matinee: {out}: will replace the model there")
    started = time.perf_counter()
    try:
        planned = model.planned_epochs if base is None else model.planned_update(epochs)
        list_epochs = model.settings.lists.network_epochs
        with Progress(planned, list_epochs=list_epochs, quiet=quiet) as progress:
            options: dict[str, Any] = {
                "seed": seed,
                "progress": False,  # the command shows its own
                "on_epoch": progress,
                "on_list_epoch": progress.list_epoch,
                "folder": None if command is None else out,
                "resume": resume,
                "watch": {"test": parts.test} if watch and parts.test is not None else None,
            }
            if base is None:
                data = parts.sharded or parts.train
                model.fit(data, group=group, shard_tables=shard_tables, **options)
            else:
                model.update(parts.train, epochs=epochs, **options)
    except KeyboardInterrupt:
        if command is not None and any(out.glob("checkpoint*")):
            arguments = [*command, *(() if "--resume" in command else ("--resume",))]
            note(f"\nmatinee: the run is saved in {out}; to continue:\n  {command_line(arguments)}")
        raise
    if not group.first:
        return None
    training = {
        **_course(model, progress.seen, time.perf_counter() - started),
        "source": parts.source,
        "command": None if command is None else list(command),
        "preset": preset,
        "config": settings.model_dump(mode="json"),
    }
    model.record |= {"split": parts.protocol, "training": training}
    notes = tuple(text for text in model.provenance.notes if text not in earlier)
    return replace(_scored(model, parts, out), notes=notes)


def _course(model: Trainable, seen: list[Epoch], wall: float) -> dict[str, Any]:
    """Return the epochs of a training and its seconds, those before an interruption included."""
    shown = {(epoch.member, epoch.teacher, epoch.epoch) for epoch in seen}
    finished = [*model.teacher_epochs, *model.epochs]
    earlier = [e for e in finished if (e.member, e.teacher, e.epoch) not in shown]
    seconds = [epoch.seconds for epoch in model.epochs] or [wall]
    return {
        "n_valid": model.n_valid,
        "epochs_run": len(model.epochs),
        "best_epoch": model.best_epoch,
        "train_seconds": wall + sum(epoch.seconds for epoch in earlier),
        "seconds_per_epoch": statistics.median(seconds),
    }


def _scored(model: Trainable, parts: Parts, out: Path) -> Fitted:
    """Score a model by the test part, if any, and save it with the scores."""
    score = lists = None
    try:
        if parts.test is not None:
            if not parts.test.implicit:
                score = model.evaluate(parts.test, histories=parts.given)
                model.record["metrics"] = score.as_dict()
            lists = score_lists(model, parts)
            model.record["lists"] = None if lists is None else lists.summary()
    finally:
        model.save(out)  # Whatever becomes of the score, the training is not lost.
    return Fitted(model, score, out, lists)


_SCORES = 2_000_000_000
"""Largest number of scores computed without request: about a minute."""


def score_lists(model: Trainable, parts: Parts) -> ListEvaluation | None:
    """Evaluate lists of ten and those of popularity.

    None if no test rating is relevant, or if it would take minutes: ``evaluate --lists`` is
    there for that.
    """
    assert parts.test is not None
    if parts.test.n_users * model.n_items > _SCORES:
        return None
    try:
        return model.evaluate_lists(
            parts.test, k=10, histories=parts.given, baselines=["popularity"]
        )
    except DataError:
        return None
