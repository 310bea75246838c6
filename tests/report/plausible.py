"""Made-up results of studies, with curves as such runs have them. Nothing here was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from matinee.lab.study import EpochRecord, Results, RunRecord, Study

VERSIONS = {
    "matinee": "0.1.0",
    "python": "3.11.7",
    "torch": "2.13.0",
    "processor": "a made-up processor <&>",
    "threads": "1",
}


def figures(epoch: int, speed: float, rng: np.random.Generator, start: float) -> dict[str, float]:
    """Training error falls for good, held-out error falls and rises."""
    train = 0.45 + (start - 0.45) * math.exp(-epoch * speed / 40)
    held = 0.85 + 0.3 * math.exp(-epoch * speed / 4) + 0.0035 * speed * max(0, epoch - 8)
    shake = float(rng.normal(0, 0.003))
    return {
        "held_out": held + shake,
        "held_out_user_mean": held - 0.02 + shake,
        "training": train + 0.02 + shake,
        "reference": train + shake,
        "batch_mean": train + 0.08 + shake,
    }


def record(
    name: str,
    data: str = "ml",
    seed: int = 0,
    *,
    epochs: int = 50,
    speed: float = 1.0,
    start: float = 1.1,
    final: dict[str, float] | None = None,
    settings: dict[str, Any] | None = None,
    failed: bool = False,
) -> RunRecord:
    rng = np.random.default_rng([seed, *name.encode()])
    done = tuple(EpochRecord(e, 0.4, figures(e, speed, rng, start)) for e in range(1, epochs + 1))
    last = done[-1].figures["held_out"] if done else 0.9
    known = {
        "rmse": last,
        "mae": last * 0.78,
        "rmse_low": last - 0.007,
        "rmse_high": last + 0.007,
        "bias_rmse": 0.909,
        "global_mean_rmse": 1.118,
        "user_mean_rmse": 1.036,
        "best_epoch": 9.0,
        "train_ratings": 800167.0,
        "test_ratings": 200042.0,
    }
    return RunRecord(
        key=f"{name}-{data}-{seed}",
        settings=settings or {},
        data=data,
        seed=seed,
        status="failed" if failed else "done",
        error="training diverged: the loss is not a number" if failed else "",
        epochs=done[: 3 if failed else None],
        final={} if failed else known | (final or {}),
        parameters=980_000,
        peak_mib=410.0 + seed,
        seconds=21.0 + rng.random(),
        total_seconds=30.0,
        versions=VERSIONS,
    )


REFERENCE: dict[str, Any] = {
    "name": "reference",
    "title": "The reference study, judged on held-out ratings",
    "text": "What a first paragraph asks.\n\nAnd a second one answers.",
    "preset": "base",
    "base": "base/base",
    "figures": ["held_out", "held_out_user_mean", "reference", "batch_mean"],
    "data": [{"name": "ml", "source": "ml-1m-seed-split"}],
    "groups": [
        {"name": "base", "title": "Base model", "arms": [{"name": "base"}],
         "published": {"base": {"train": 0.819, "test": 0.79, "epochs": 50}}},
        {"name": "batch_size", "title": "Batch size", "text": "Is a batch of 8 best?",
         "key": "batch_size", "values": [1, 2, 4, 8, 16, 32, 64, 128, 256],
         "published": {"8": {"train": 0.75, "test": 0.68, "epochs": 50},
                       "16": {"train": 0.79, "test": 0.735, "epochs": 50},
                       "32": {"train": 0.83, "test": 0.80, "epochs": 50},
                       "64": {"train": 0.855, "test": 0.83, "epochs": 50},
                       "128": {"train": 0.88, "test": 0.865, "epochs": 50}}},
        {"name": "learning_rate", "title": "Learning rate", "key": "learning_rate",
         "values": [1e-6, 1e-4, 1e-3, 1e-2],
         "published": {"1e-06": {"train": 2.44, "test": 2.46, "epochs": 50},
                       "0.01": {"train": 0.89, "test": 0.84, "epochs": 50}}},
        {"name": "activation", "title": "Activation", "key": "activation",
         "values": ["sigmoid", "relu", "tanh", "elu", "selu"]},
        {"name": "depth", "title": "More layers", "arms": [
            {"name": "3x128"}, {"name": "3x128 as its text says"}, {"name": "6x128"},
            {"name": "bottleneck 128-64-32-64-128-128"}]},
    ],
    "claims": [
        {"id": "1", "text": "Batch size 8 is best.", "who": "the reference study",
         "checks": [{"kind": "best", "arms": ["batch_size/8"], "than": ["batch_size"]}]},
        {"id": "2", "text": "A rate of 1e-6 hardly learns.", "who": "the reference study",
         "checks": [{"kind": "better", "arms": ["learning_rate/0.001"],
                     "than": ["learning_rate/1e-06"], "by": 0.1}]},
        {"id": "3", "text": "The base model reaches a test RMSE of 0.790.",
         "who": "the reference study", "note": "It was measured on training ratings.",
         "checks": [{"kind": "near", "arms": ["base/base"], "value": 0.79}]},
    ],
}  # fmt: skip

_SPEED = {"1": 2.6, "2": 2.4, "4": 2.2, "8": 2.0, "16": 1.5, "32": 1.0, "64": 0.8, "128": 0.6,
          "256": 0.4, "1e-06": 0.01, "0.0001": 0.3, "0.001": 1.5, "0.01": 3.0, "relu": 1.7,
          "tanh": 2.1, "elu": 2.3, "selu": 2.25}  # fmt: skip


def reference(seeds: Sequence[int] = (0, 1, 2), epochs: int = 50, **changes: Any) -> Results:
    """Results of a study like the reference's."""
    study = Study.make(REFERENCE | {"seeds": list(seeds)} | changes, "test")
    runs = {}
    for group in study.groups:
        names = [arm.name for arm in group.arms] or [_name(v) for v in group.values]
        for name in names:
            for seed in seeds:
                start = 3.0 if name == "1e-06" else 1.1
                runs[f"{group.name}/{name}", "ml", seed] = record(
                    f"{group.name}/{name}", seed=seed, epochs=epochs,
                    speed=_SPEED.get(name, 1.0), start=start,
                    failed=name == "0.01" and seed == 2,
                )  # fmt: skip
    return Results(study, runs, len(runs) + 4)


DEPTHS = (1, 2, 3, 4, 6, 8, 12)
SIZES = {"1%": 8e3, "3%": 24e3, "10%": 8e4, "30%": 24e4, "100%": 8e5, "synthetic ×10": 1e7}


def depth_and_data(seeds: Sequence[int] = (0, 1)) -> Results:
    """Results of a study of depth by size of the data, in which deeper is better on more."""
    study = Study.make(
        {
            "name": "depth-and-data",
            "title": "Does the best depth grow with the data?",
            "seeds": list(seeds),
            "figures": ["held_out"],
            "data": [{"name": name, "source": "ml-1m", "holdout": 0.1} for name in SIZES],
            "groups": [{"name": "depth", "title": "Depth and data", "key": "depth",
                        "values": list(DEPTHS), "cross": {"code_dropout": [0, 0.5]}}],
        },
        "test",
    )  # fmt: skip
    runs = {}
    for depth in DEPTHS:
        for dropout in ("0", "0.5"):
            for data, size in SIZES.items():
                for seed in seeds:
                    name = f"depth/{depth},code_dropout={dropout}"
                    best = math.log10(size) - 3
                    rmse = 0.82 + 0.5 / math.log10(size) ** 2 + 0.004 * abs(math.log2(depth) - best)
                    noise = float(np.random.default_rng([seed, depth, int(size)]).normal(0, 0.001))
                    final = {"rmse": rmse + noise, "train_ratings": size}
                    runs[name, data, seed] = record(name, data, seed, epochs=2, final=final)
    return Results(study, runs, len(runs))


def protocol(seeds: Sequence[int] = (0, 1, 2)) -> Results:
    """Results of a study of the formulas that are called RMSE."""
    study = Study.make(
        {
            "name": "protocol",
            "title": "How much of published differences is the formula",
            "seeds": list(seeds),
            "extra": ["protocol"],
            "data": [{"name": "ml-1m", "source": "ml-1m-seed-split"},
                     {"name": "ml-100k", "source": "ml-100k/u1"}],
            "groups": [{"name": "models", "title": "Seven ways to an RMSE",
                        "arms": [{"name": "base", "preset": "base"}, {"name": "default"}]}],
        },
        "test",
    )  # fmt: skip
    shift = {"global": 0.0, "user_mean": -0.02, "root_of_mean": -0.005, "per_batch": -0.004,
             "rounded": 0.04, "clipped": -0.001, "training": -0.25, "misaligned": 0.3}  # fmt: skip
    runs = {
        (f"models/{arm}", data, seed): record(
            arm, data, seed, epochs=5,
            final={f"protocol.{name}": 0.87 + by + 0.03 * (data == "ml-100k") - 0.02 * at
                   + 0.001 * seed for name, by in shift.items()},
        )
        for at, arm in enumerate(("base", "default"))
        for data in ("ml-1m", "ml-100k")
        for seed in seeds
    }  # fmt: skip
    return Results(study.model_copy(update={"cut": study.quick}), runs, len(runs))


def _name(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
