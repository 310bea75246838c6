"""Records of runs that never ran, so that what they say is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.lab.study import EpochRecord, Results, RunRecord, Study

Figures = Mapping[str, float | Sequence[float]]


def run(
    figures: Figures | None = None,
    *,
    key: str = "",
    seed: int = 0,
    data: str = "d",
    status: str = "done",
    error: str = "",
    **final: float,
) -> RunRecord:
    """A run whose figures are given for each epoch, or one value for its only epoch."""
    curves = {
        name: [v] if isinstance(v, int | float) else list(v) for name, v in (figures or {}).items()
    }
    length = max((len(curve) for curve in curves.values()), default=0)
    epochs = tuple(
        EpochRecord(at + 1, 1.0, {name: curve[at] for name, curve in curves.items()})
        for at in range(length)
    )
    return RunRecord(
        key=key,
        settings={},
        data=data,
        seed=seed,
        status=status,
        error=error,
        epochs=epochs,
        final=final,
        parameters=10,
        peak_mib=100.0 + seed,
        seconds=2.0 + seed,
        total_seconds=3.0,
    )


def study(arms: Sequence[str], claims: Sequence[Mapping[str, Any]] = (), **rest: Any) -> Study:
    """A study with arms as GROUP/ARM."""
    groups: dict[str, list[dict[str, str]]] = {}
    for arm in arms:
        group, _, name = arm.partition("/")
        groups.setdefault(group, []).append({"name": name})
    values: dict[str, Any] = {
        "name": "made",
        "title": "Made",
        "data": [{"name": "d"}],
        "groups": [{"name": g, "title": g, "arms": a} for g, a in groups.items()],
        "claims": [{"id": "1", "text": "A claim.", **claim} for claim in claims],
    }
    return Study.make(values | rest)


def results(
    figures: Mapping[str, Sequence[Figures | RunRecord | None]],
    *checks: Mapping[str, Any],
    on: str = "d",
    **rest: Any,
) -> Results:
    """Runs by arm, one per seed (None: not run), and one claim made of the checks.

    A figure that is one number is "held_out" at the only epoch.
    """
    runs = {}
    for arm, seeds in figures.items():
        for seed, done in enumerate(seeds):
            if done is None:
                continue
            if not isinstance(done, RunRecord):
                done = run(done, key=f"{arm}-{on}-{seed}", seed=seed, data=on)
            runs[arm, on, seed] = done
    claims = [{"checks": list(checks)}] if checks else []
    made = study(list(figures), claims, **rest)
    return Results(study=made, runs=runs, expected=len(runs))


def held(*values: float) -> list[dict[str, float]]:
    """Held-out figures, one run each."""
    return [{"held_out": value} for value in values]


def both(held_out: Sequence[float], reference: Sequence[float]) -> list[dict[str, float]]:
    """Held-out and reference figures, one run each."""
    return [{"held_out": h, "reference": r} for h, r in zip(held_out, reference, strict=True)]


def lost(seeds: int = 3) -> list[RunRecord]:
    """Runs that diverged."""
    error = "training diverged: the loss is not a number at epoch 1, step 3"
    return [run(key=f"lost-{s}", seed=s, status="failed", error=error) for s in range(seeds)]
