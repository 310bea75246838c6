"""What stopping costs and saves on data too sparse to learn from (``train.run.SPARSE``).

    python benchmarks/early_stop.py [NAME ...]

``default`` is trained on four fifths of thinned and synthetic ratings, with the stop and without.
Printed are the first epoch at which each network's validation score was ahead of the bias model's
(two teachers, then the student, without the stop), the RMSE on the held-out fifth of the bias model
and of both models, and processor seconds. Run it on one thread (``OMP_NUM_THREADS=1
NUMBA_NUM_THREADS=1``), after a first run that compiles. ``MATINEE_DATA`` must hold ml-1m, ml-100k
and ml-latest-small.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import matinee
from matinee.data import Ratings
from matinee.models import Autoencoder
from matinee.synth import synthesize
from matinee.train import Holdout, run


def thinned(name: str, share: float, seed: int) -> Ratings:
    ratings = matinee.load(name)
    return ratings.take(np.random.default_rng(seed).random(len(ratings)) < share).compact()


def synthetic(users: int, items: int, ratings: int, seed: int, **options: float) -> Ratings:
    return synthesize(users, items, ratings, seed=seed, threads=1, **options).ratings


DATA: dict[str, Callable[[], Ratings]] = {
    "sparse": lambda: synthetic(16_613, 15_242, 65_147, 0),
    "ml-1m-5": lambda: thinned("ml-1m", 5 * 6040 / 1_000_209, 0),
    "ml-1m-8": lambda: thinned("ml-1m", 8 * 6040 / 1_000_209, 1),
    "ml-1m-10": lambda: thinned("ml-1m", 10 * 6040 / 1_000_209, 0),
    "latest-small-30%": lambda: thinned("ml-latest-small", 0.3, 1),
    "latest-small-15%": lambda: thinned("ml-latest-small", 0.15, 2),
    "ml-1m-3": lambda: thinned("ml-1m", 3 * 6040 / 1_000_209, 3),
    "ml-1m-4": lambda: thinned("ml-1m", 4 * 6040 / 1_000_209, 4),
    "ml-100k-5%": lambda: thinned("ml-100k", 0.05, 5),
    "ml-100k-8%": lambda: thinned("ml-100k", 0.08, 6),
    "latest-small-6%": lambda: thinned("ml-latest-small", 0.06, 7),
    "latest-small-10%": lambda: thinned("ml-latest-small", 0.1, 8),
    "small": lambda: synthetic(300, 200, 5_000, 3),
    "tiny": lambda: synthetic(100, 60, 1_200, 4),
    "taste-1": lambda: synthetic(2_932, 1_872, 14_900, 2, taste=1.5),
    "taste-2": lambda: synthetic(2_931, 1_889, 15_100, 4, taste=1.5),
    "taste-3": lambda: synthetic(4_886, 791, 25_000, 0, taste=1.5),
    "taste-4": lambda: synthetic(3_901, 3_431, 19_500, 5, taste=1.5),
    "taste-5": lambda: synthetic(3_893, 3_423, 19_500, 6, taste=1.5),
    "taste-6": lambda: synthetic(7_830, 5_585, 40_000, 1, taste=1.5),
    "taste-7": lambda: synthetic(4_000, 3_500, 14_000, 7, taste=1.5),
    "taste-8": lambda: synthetic(8_000, 8_000, 30_000, 8, taste=1.5),
    "taste-9": lambda: synthetic(3_000, 3_000, 14_000, 9, taste=2.5),
}


def fitted(train: Ratings, sparse: float) -> tuple[Autoencoder, float, list[bool]]:
    """A model, processor seconds of its training, and whether each score in it was ahead.

    ``sparse`` takes the place of ``SPARSE``: 0 never stops.
    """
    before, score = run.SPARSE, Holdout.rmse
    ahead: list[bool] = []

    def noted(held: Holdout, *args: Any) -> float:
        base, rmse = args[-1], score(held, *args)
        errors = np.square(np.clip(base, held.low, held.high) - held.values)
        ahead.append(rmse < float(np.sqrt(errors.mean())))
        return rmse

    run.SPARSE, Holdout.rmse = sparse, noted  # type: ignore[method-assign, assignment]
    started = time.process_time()
    try:
        model = Autoencoder("default", device="cpu").fit(train, seed=0)
    finally:
        run.SPARSE, Holdout.rmse = before, score  # type: ignore[method-assign]
    return model, time.process_time() - started, ahead


def first_ahead(model: Autoencoder, ahead: list[bool]) -> str:
    """The first epoch of each network whose score was ahead: teachers by number, the student."""
    scored = [e for e in (*model.teacher_epochs, *model.epochs) if e.valid_rmse is not None]
    first: dict[int, int | None] = dict.fromkeys((1, 2, 0))
    for epoch, is_ahead in zip(scored, ahead, strict=True):
        if is_ahead and first[epoch.teacher] is None:
            first[epoch.teacher] = epoch.epoch
    return ", ".join(str(epoch or "none") for epoch in first.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of " + ", ".join(DATA))
    print(
        "| data | training ratings by users of items | first ahead | bias | all | stopped | CPU s |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in parser.parse_args().names or DATA:
        train, test = matinee.split(DATA[name](), holdout=0.2, seed=0)
        whole, seconds, ahead = fitted(train, 0.0)
        stopped, less, _ = fitted(train, run.SPARSE)
        scores = whole.evaluate(test)
        cells = [
            f"{len(train):,} by {train.n_users:,} of {train.n_items:,}",
            first_ahead(whole, ahead),
            f"{scores.baselines['bias'].rmse:.5f}",
            f"{scores.rmse:.5f}",
            f"{stopped.evaluate(test).rmse:.5f}",
            f"{seconds:.0f} to {less:.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
