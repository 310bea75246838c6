"""Execution of one run: fit, evaluate, measure."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...._version import __version__
from ....errors import ModelFileError, TrainingError, UsageError
from ....models.presets import frozen_presets, settings_hash
from ....models.registry import kind_named
from ....models.settings import Settings
from ..figures import FIGURES, HELD_OUT
from ..models import by_settings, make_model
from ..plan import Spec
from ..results import EpochRecord, RunRecord
from .data import DataCache, Prepared

if TYPE_CHECKING:
    from ....data import Ratings
    from ....evaluate import Evaluation
    from ....models import Recommender
    from ....train import Epoch

_EXTRA_FIGURES = {
    "penalty": "penalty",
    "reference_penalised": "training_user_mean_penalised",
    "single_row": "training_user_mean_single_row",
    "single_row_held_out": "held_out_single_row",
}
"""Figures recorded if an epoch has them: name in a record, and in ``Epoch.measured``."""


def execute(
    spec: Spec, cache: DataCache, folder: Path, on_epoch: Callable[[EpochRecord], None]
) -> RunRecord:
    """Execute a run, or resume it if ``folder``, which is of this run only, has its checkpoint.

    Returns:
        The run's record; "failed" with the error if it diverged.
    """
    started = time.perf_counter()
    _forget_peak()
    data = cache.get(spec.data)
    seen: list[EpochRecord] = []

    def collect(epoch: Epoch) -> None:
        if not epoch.teacher:
            seen.append(as_record(epoch, spec.figures, len(seen) + 1))
            on_epoch(seen[-1])

    error, final, parameters, before = "", {}, 0, 0.0
    begun = time.perf_counter()
    try:
        model = _fit(spec, data, folder, collect, seen)
        seconds = time.perf_counter() - begun
        # All epochs of the model, those before a stop included.
        trained = _records(getattr(model, "epochs", []), spec)
        # What was done before a stop is in the epochs; the clock began after it.
        before = sum(epoch.seconds for epoch in getattr(model, "teacher_epochs", []))
        spent = float(max(getattr(model, "fit_seconds", seconds), before + _seconds(trained)))
        final = _score(spec, model, data) | {"fit_seconds": spent}
        parameters = model.n_parameters
    except TrainingError as failure:
        seconds = time.perf_counter() - begun
        trained = _left_in(folder, spec) or seen
        error = str(failure)
    if trained:
        seconds = before + _seconds(trained)
    return RunRecord(
        key=spec.key,
        settings={"model": spec.kind, **spec.settings},
        data=spec.data_name,
        seed=spec.seed,
        status="failed" if error else "done",
        error=error,
        epochs=tuple(trained),
        final=final,
        parameters=parameters,
        peak_mib=_peak_mib(),
        seconds=seconds,
        total_seconds=time.perf_counter() - started,
        versions=_versions(spec.kind) | _preset(spec),
    )


def as_record(epoch: Epoch, figures: tuple[str, ...], at: int) -> EpochRecord:
    """An epoch under the study's names of its figures; members of an ensemble count on (``at``)."""
    recorded = [f for f in FIGURES.values() if f.name in figures or not f.measure]
    values = {figure.name: figure.value(epoch) for figure in recorded}
    values |= {name: epoch.measured.get(key) for name, key in _EXTRA_FIGURES.items()}
    known = {name: float(value) for name, value in values.items() if value is not None}
    return EpochRecord(at if epoch.member else epoch.epoch, float(epoch.seconds), known)


def _fit(
    spec: Spec,
    data: Prepared,
    folder: Path,
    on_epoch: Callable[[Epoch], None],
    seen: list[EpochRecord],
) -> Recommender:
    if not by_settings(spec.settings):
        return make_model(spec.kind, spec.settings).fit(data.train, seed=spec.seed)
    options: dict[str, Any] = {"seed": spec.seed, "on_epoch": on_epoch, "folder": folder}
    options["progress"] = False
    if kind_named(spec.kind).measures:
        options["measure"] = _measures(spec)
    if any(FIGURES[name].watch for name in spec.figures):
        options["watch"] = {HELD_OUT: data.test}
    if any(folder.glob("checkpoint*")):
        try:
            return make_model(spec.kind, spec.settings).fit(data.train, resume=True, **options)
        except (UsageError, ModelFileError):
            seen.clear()  # damaged, or of another version: restart
    return make_model(spec.kind, spec.settings).fit(data.train, **options)


def _measures(spec: Spec) -> set[str]:
    names = {"penalty"} | {FIGURES[name].measure for name in spec.figures} - {""}
    if "single_row_statistics" in spec.extra:
        names.add("single_row")
    return names


def _records(epochs: Iterable[Epoch], spec: Spec) -> list[EpochRecord]:
    return [as_record(epoch, spec.figures, at) for at, epoch in enumerate(epochs, start=1)]


def _seconds(epochs: list[EpochRecord]) -> float:
    return sum(epoch.seconds for epoch in epochs)


def _left_in(folder: Path, spec: Spec) -> list[EpochRecord]:
    """Return the epochs of a run that diverged, from its folder."""
    from ....train import Epoch

    try:
        lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
        epochs = [Epoch(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError):
        return []
    return _records((epoch for epoch in epochs if not epoch.teacher), spec)


def _score(spec: Spec, model: Recommender, data: Prepared) -> dict[str, float]:
    offset = bool(spec.data.get("time_offset"))
    score = model.evaluate(data.test, histories=data.given, time_offset=offset)
    final: dict[str, float] = {
        **{name: each.value for name, each in score.scores.items()},
        **{f"{name}_rmse": baseline.rmse for name, baseline in score.baselines.items()},
        "user_mean_rmse": user_mean_rmse(data.train, data.test),
        "mean_user_rmse": score.mean_user_rmse,
        "train_ratings": len(data.train),
        "test_ratings": len(data.test),
        "train_users": model.n_users,
        "train_items": model.n_items,
        "folds_in": model.folds_in,
        "answers_unknown": model.answers_unknown,
    }
    gain = score.baselines["bias"].rmse_gain_interval
    if gain is not None:
        final["bias_gain_low"], final["bias_gain_high"] = gain
    if score.rmse_interval is not None:
        final["rmse_low"], final["rmse_high"] = score.rmse_interval
    if data.floor is not None:
        final["noise_floor"] = data.floor
    if data.dropped is not None:
        final["dropped_ratings"] = data.dropped
    best = getattr(model, "best_epoch", None)
    if isinstance(best, int) and best:
        final["best_epoch"] = best
    if "coverage" in spec.extra:
        final |= _coverage(score)
    if "update" in spec.extra:
        updated = model.evaluate(data.test, histories=data.given, update=True, time_offset=offset)
        final |= _update(updated)
    if "protocol" in spec.extra:
        from ....evaluate.protocols import protocols

        scores = protocols(model, data.train, data.test)
        final |= {f"protocol.{name}": value for name, value in scores.items()}
    if "single_row_statistics" in spec.extra:
        for epoch in getattr(model, "epochs", [])[-1:] if spec.kind == "autoencoder" else []:
            for name in ("training_user_mean_single_row", "held_out_single_row"):
                if name in epoch.measured:
                    final[f"single_row_statistics.{name.removesuffix('_single_row')}"] = (
                        epoch.measured[name]
                    )
    return {name: float(value) for name, value in final.items()}


def user_mean_rmse(train: Ratings, test: Ratings) -> float:
    """Return the RMSE of each user's mean training rating; without one, of the global mean."""
    from ....evaluate.metrics import rmse

    counts = np.bincount(train.users, minlength=train.n_users)
    sums = np.bincount(train.users, train.values, minlength=train.n_users)
    overall = float(train.values.mean(dtype=np.float64))
    means = np.divide(sums, counts, out=np.full(train.n_users, overall), where=counts > 0)
    users = train.user_ids.encode(test.user_ids.ids)
    return rmse(np.append(means, overall)[users][test.users], test.values)


def _coverage(score: Evaluation) -> dict[str, float]:
    coverage = score.coverage
    values: dict[str, float] = {"coverage.unknown_share": coverage.unknown.n / score.n_test}
    for name, part in (("known", coverage.known), ("unknown", coverage.unknown)):
        if part.rmse is not None:
            values[f"coverage.{name}_rmse"] = part.rmse
    for each in score.uncertainty.intervals if score.uncertainty else ():
        values[f"coverage{100 * each.level:.0f}"] = each.covered
    return values


def _update(score: Evaluation) -> dict[str, float]:
    frozen = score.baselines["frozen"]
    values = {"update.rmse": score.rmse, "update.gain": frozen.rmse_gain}
    if frozen.rmse_gain_interval is not None:
        values["update.gain_low"], values["update.gain_high"] = frozen.rmse_gain_interval
    return values


def _versions(kind: str) -> dict[str, str]:
    versions = {
        "matinee": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count() or 1),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
    }
    names = ["numpy", "torch", "numba"]
    if kind_named(kind).requires:
        names.append(kind_named(kind).distribution)
    return versions | {name: version(name) for name in names}


def _preset(spec: Spec) -> dict[str, str]:
    """Return the hash of the settings and, for a preset, the day since which it has had them."""
    if not by_settings(spec.settings):
        return {}
    made = settings_hash(Settings.make(spec.settings, spec.arm))
    dates = [frozen.date for frozen in frozen_presets().values() if frozen.hash == made]
    return {"settings": made} | ({"frozen": min(dates)} if dates else {})


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _forget_peak() -> None:
    """Reset the count of peak memory, if supported: a worker does many runs."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "utf-8")


def _peak_mib() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
