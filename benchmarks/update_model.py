"""A model that is updated as ratings come, beside models trained anew on all of them.

    python benchmarks/update_model.py [SOURCE] [--preset default] [--first 0.6] [--step 0.1]

The ratings are put in order of time. A model is trained on the first share and then updated
(`model.update`) with one step after another; at each of them another is trained anew on everything
up to there. Both are scored on the next step: RMSE with its histories as they were, RMSE with each
rating taken in once it is scored (`evaluate --update`), and nDCG@10 of the lists. `stale` is the
first model, never updated, with the same histories given to it. Seconds are of the processor, so
that a busy machine does not count. By default on ML-1M.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import matinee
from _by_time import ByTime
from matinee.data import Ratings
from matinee.errors import DataError


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", default="ml-1m")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--first", type=float, default=0.6)
    parser.add_argument("--step", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, help="epochs of an update")
    options = parser.parse_args()

    by_time = ByTime(options.source)
    part, count = by_time.rows, len(by_time.order)
    cuts = np.arange(options.first, 1.0 + 1e-9, options.step) * count
    ends = np.round(cuts).astype(int).tolist()
    if ends[-1] < count:
        ends.append(count)

    updated = matinee.model(options.preset)
    seconds = timed(lambda: updated.fit(part(0, ends[0]), progress=False))
    print(f"first model: {ends[0]:,} ratings, {seconds:.0f} s", flush=True)
    stale = matinee.model(options.preset)
    stale.__dict__ = dict(updated.__dict__)
    print("ratings    model    seconds  RMSE    RMSE, growing  nDCG@10", flush=True)
    for start, stop, after in zip(ends, ends[1:], ends[2:], strict=False):
        new, test, known = part(start, stop), part(stop, after), part(0, stop)
        fast = timed(lambda new=new: updated.update(new, epochs=options.epochs, progress=False))
        show(stop, "updated", fast, updated, test)
        anew = matinee.model(options.preset)
        slow = timed(lambda anew=anew, known=known: anew.fit(known, progress=False))
        show(stop, "anew", slow, anew, test)
        show(stop, "stale", 0.0, stale, test, known)


def timed(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def show(
    n: int, name: str, seconds: float, model: Any, test: Ratings, known: Ratings | None = None
) -> None:
    frozen = model.evaluate(test, histories=known).rmse
    growing = model.evaluate(test, histories=known, update=True).rmse
    try:
        lists = model.evaluate_lists(test, k=10, histories=known, baselines=[])
        ndcg = f"{lists.summary()['ndcg@10']:.4f}"
    except DataError:
        ndcg = "-"
    print(
        f"{n:>9,}  {name:<8} {seconds:>6.0f}  {frozen:.4f}  {growing:.4f}         {ndcg}",
        flush=True,
    )


if __name__ == "__main__":
    main()
