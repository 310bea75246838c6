"""How long until the held-out RMSE is 0.857: the default preset against scikit-surprise's SVD.

    python benchmarks/default_vs_svd.py [--source ml-1m-seed-split] [--target 0.857] [--repeat 3]
        [--threads 2] [--epochs 9,12,40] [--json]

All are given ratings that are in memory. The epochs of each are chosen before anything is timed,
with no test rating read: a tenth of the training ratings is held out, and of a ladder of lengths
the shortest is taken whose validation RMSE is below the target. (It was trained on nine tenths of
what is timed afterwards, so that there is some margin.) A length is a whole run of so many epochs,
its learning rate falling over these, never the first part of a longer one. Then
all are fitted to all training ratings in turn, several times, and only now scored on the test
ratings. The default preset stands there twice: as it is, and without its teacher, whose time a run
as short as this does not earn back.

The time of the default is all of ``fit``; of SVD that of its own ``fit``, without the conversion of
the ratings to the library's lists, which is printed beside it. SVD runs on one thread, as it always
does. Needs the extra bench.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matinee.data import Ratings
    from matinee.models import Recommender

DEFAULT_EPOCHS = (7, 8, 9, 10, 11, 12, 16, 20, 40)
ALONE_EPOCHS = (8, 10, 12, 14, 16, 18, 20, 24, 40)
SVD = {"n_factors": 100, "lr_all": 0.005, "reg_all": 0.06}
SVD_EPOCHS = (20, 30, 35, 40, 45, 50, 60, 80)

Maker = Callable[[int], "Recommender"]


def default(epochs: int) -> Recommender:
    """The default preset, so many epochs long."""
    import matinee

    return matinee.model("default", device="cpu", epochs=epochs)


def alone(epochs: int) -> Recommender:
    """The default preset without its teacher."""
    import matinee

    return matinee.model("default", device="cpu", epochs=epochs, teacher="none")


def svd(epochs: int) -> Recommender:
    """SVD with the settings above, which svd_settings.py chose, so long."""
    from matinee.lab.study.models import make_model

    return make_model("surprise-svd", {**SVD, "n_epochs": epochs})


def choose(
    make: Maker, ladder: Sequence[int], train: Ratings, held: Ratings, target: float
) -> tuple[int, float]:
    """The shortest length that reaches the target on the validation part; else the best."""
    found = []
    for epochs in ladder:
        rmse = make(epochs).fit(train, seed=0).evaluate(held).rmse
        found.append((rmse, epochs))
        if rmse < target:
            return epochs, rmse
    rmse, epochs = min(found)
    return epochs, rmse


def timed(make: Maker, epochs: int, train: Ratings, test: Ratings, seed: int) -> dict[str, float]:
    """One fit: its time, the time with everything around it, and the held-out RMSE."""
    started = time.perf_counter()
    model = make(epochs).fit(train, seed=seed)
    whole = time.perf_counter() - started
    own = float(getattr(model, "fit_seconds", whole))
    return {"seconds": own, "whole_seconds": whole, "rmse": model.evaluate(test).rmse}


def main() -> None:
    """Choose the lengths, then time all in turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", default="ml-1m-seed-split", help="a split that has a name")
    parser.add_argument("--target", type=float, default=0.857)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", help="a length for each, chosen before")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(options.threads)  # before the libraries are imported
    import matinee

    train, test = matinee.data.named_split(options.source)
    makers: dict[str, tuple[Maker, Sequence[int]]] = {
        "default": (default, DEFAULT_EPOCHS),
        "no teacher": (alone, ALONE_EPOCHS),
        "surprise SVD": (svd, SVD_EPOCHS),
    }
    chosen: dict[str, tuple[int, float | None]] = {}
    if options.epochs:
        given = [int(part) for part in options.epochs.split(",")]
        chosen = {name: (n, None) for name, n in zip(makers, given, strict=True)}
    else:
        fit, held = matinee.split(train, holdout=0.1, seed=0)
        for name, (make, ladder) in makers.items():
            chosen[name] = choose(make, ladder, fit, held, options.target)
    default(2).fit(train, seed=0)  # compiled kernels are loaded and memory is warm
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in makers}
    for turn in range(options.repeat):
        order = list(makers) if turn % 2 == 0 else list(makers)[::-1]
        for name in order:
            runs[name].append(timed(makers[name][0], chosen[name][0], train, test, turn))
    report(options, chosen, runs)


def report(options: argparse.Namespace, chosen: dict[str, Any], runs: dict[str, Any]) -> None:
    """Print what was measured."""
    rows = []
    for name, found in runs.items():
        epochs, valid = chosen[name]
        worst = max(run["rmse"] for run in found)
        rows.append(
            {
                "model": name,
                "epochs": epochs,
                "validation_rmse": valid,
                "rmse": statistics.fmean(run["rmse"] for run in found),
                "reached": worst < options.target,
                "seconds": statistics.median(run["seconds"] for run in found),
                "whole_seconds": statistics.median(run["whole_seconds"] for run in found),
                "runs": found,
            }
        )
    svds = rows[-1]["seconds"]
    faster = [row["model"] for row in rows[:-1] if row["reached"] and row["seconds"] < svds]
    if options.json:
        print(json.dumps({"target": options.target, "rows": rows, "faster_than_svd": faster}))
        return
    print(
        f"{options.source}, to a held-out RMSE below {options.target}; median of "
        f"{options.repeat} turns, {options.threads} threads"
    )
    for row in rows:
        valid = row["validation_rmse"]
        epochs_from = "given" if valid is None else f"validation {valid:.4f}"
        times = ", ".join(f"{run['seconds']:.1f}" for run in row["runs"])
        reached = "reached in every run" if row["reached"] else "NOT reached in every run"
        print(
            f"{row['model']:13} {row['epochs']:3} epochs ({epochs_from})  RMSE {row['rmse']:.4f}, "
            f"{reached}  {row['seconds']:.1f} s ({times}); with all around it "
            f"{row['whole_seconds']:.1f} s"
        )
    print(f"in less time than SVD: {', '.join(faster) or 'none'}")


if __name__ == "__main__":
    main()
