"""What ordinal outputs are worth: one network of ``default`` without a teacher, trained both ways.

    python benchmarks/ordinal.py [--source ml-100k/u1] [--seeds 0 1 2] [--lists] [--teacher]
    python benchmarks/ordinal.py --blend    # as one more member of an ensemble

The source is a split, of which the *training* part alone is read and a tenth of it held out by
each seed; or ml-1m, of which the first four fifths by time are read, as in ``rolling_origin.py``.
Printed are RMSE; the mean negative log-likelihoods of the held-out levels (of a rating, by a normal
error of the predicted standard deviation between the midpoints of levels) and of liking (4 stars or
more); the share of ratings within 50, 80 and 95% intervals, by the standard deviation and by the
levels (between quantiles of the mid-distribution function); with --lists nDCG@10. Differences are
ordinal less rating, with the standard error over the held-out ratings. With --blend, ensembles of a
network over people and one over items, by themselves and with a third one over items.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

import matinee
from matinee.data import Ratings, named_split
from rolling_origin import SPARE, line, rms

LEVELS = (0.5, 0.8, 0.95)
ITEMS, ORDINAL = {"set": {"rows": "items"}}, {"set": {"rows": "items", "output": "ordinal"}}
BLENDS: dict[str, list[dict[str, Any]]] = {
    "two members": [{}, ITEMS],
    "and a third": [{}, {**ITEMS, "copies": 2}],
    "and an ordinal third": [{}, ITEMS, ORDINAL],
}


def source(name: str) -> Ratings:
    """The ratings of which a tenth is held out."""
    if "/" in name:
        return named_split(name)[0]
    return matinee.split(matinee.load(name), holdout=SPARE, by="time")[0]


def normal(predicted: np.ndarray, std: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Probabilities of the levels by a normal error, (n, levels)."""
    between = (levels[1:] + levels[:-1]) / 2
    below = ndtr((between - predicted[:, None]) / std[:, None])
    edges = np.hstack([np.zeros((len(below), 1)), below, np.ones((len(below), 1))])
    return np.diff(edges)


def covered(probabilities: np.ndarray, code: np.ndarray, level: float) -> float:
    """The share of ratings whose mid-distribution function is within the middle ``level``."""
    below = np.cumsum(probabilities, axis=1) - probabilities / 2
    at = below[np.arange(len(code)), code]
    return float(np.mean(np.abs(at - 0.5) <= level / 2))


def score(model: matinee.Autoencoder, held: Ratings, *, lists: bool) -> dict[str, Any]:
    """Figures of one model; the squared errors and log-likelihoods stay arrays."""
    users, items = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
    predicted, std = model.predict(users, items, with_std=True)
    levels = np.unique(held.values)
    code = np.searchsorted(levels, held.values)
    if model.link is None:
        chances = normal(predicted, std, levels)
    else:
        chances = model.level_probabilities(users, items)
        code, levels = model.link.codes(held.values), np.array(model.link.levels)
    row: dict[str, Any] = {
        "squared": np.square(predicted - held.values),
        "nll": -np.log(np.maximum(chances[np.arange(len(code)), code], 1e-9)),
    }
    liked = held.values >= model.preference.threshold
    chance = np.where(liked, *(p := model.preference.probability(predicted), 1 - p)[:2])
    row["liking"] = -np.log(np.maximum(chance, 1e-9))
    for level in LEVELS:
        within = np.abs(predicted - held.values) <= ndtri((1 + level) / 2) * std
        row[f"within {level:.0%}"] = float(within.mean())
        row[f"levels within {level:.0%}"] = covered(chances, code, level)
    if lists:
        row["nDCG@10"] = model.evaluate_lists(held, k=10, baselines=()).scores[10]["ndcg"].value
    return row


def blends(whole: Ratings, seeds: list[int], changes: dict[str, Any]) -> None:
    """Print the RMSE of each ensemble, and its difference from the first."""
    first: np.ndarray = np.zeros(0)
    for name, members in BLENDS.items():
        parts = []
        for seed in seeds:
            train, held = matinee.split(whole, holdout=0.1, seed=seed)
            model = matinee.model("default", device="cpu", members=members, **changes)
            model.fit(train, seed=seed, progress=False)
            predicted = model.predict(held.user_ids.ids[held.users], held.item_ids.ids[held.items])
            parts.append(np.square(predicted - held.values))
        squared = np.concatenate(parts)
        first = first if len(first) else squared
        gap = (squared - first) / (2 * np.sqrt(first.mean()))
        error = gap.std() / np.sqrt(len(gap))
        print(f"{name:21} RMSE {np.sqrt(squared.mean()):.4f}  {gap.mean():+.4f} ± {error:.4f}")


def main() -> None:
    """Fit both for each seed, and print their figures and the differences."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-100k/u1")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--lists", action="store_true")
    parser.add_argument("--teacher", action="store_true", help="default as it is, teachers and all")
    parser.add_argument("--blend", action="store_true", help="ensembles instead")
    args = parser.parse_args()
    changes = {} if args.teacher else {"teacher": "none", "known_codes": "encoded"}
    if not args.lists:
        changes["lists.interest"] = "none"
    whole = source(args.source)
    if args.blend:
        blends(whole, args.seeds, changes)
        return
    pooled: dict[str, list[dict[str, Any]]] = {"rating": [], "ordinal": []}
    for seed in args.seeds:
        train, held = matinee.split(whole, holdout=0.1, seed=seed)
        for output, rows in pooled.items():
            begun = time.process_time()
            model = matinee.model("default", device="cpu", output=output, **changes)
            model.fit(train, seed=seed, progress=False)
            seconds = time.process_time() - begun
            rows.append({**score(model, held, lists=args.lists), "CPU s": seconds})
            plain = {k: v for k, v in rows[-1].items() if not isinstance(v, np.ndarray)}
            short = {"RMSE": rms(model_errors(rows[-1])), **means(rows[-1]), **plain}
            print(f"seed {seed} {output:8} {line(short)}", flush=True)
    for name in ("squared", "nll", "liking"):
        one, two = (np.concatenate([row[name] for row in rows]) for rows in pooled.values())
        # Of squared errors as a difference of RMSE, by its derivative.
        unit = 2 * np.sqrt(one.mean()) if name == "squared" else 1.0
        gap = (two - one) / unit
        what = "RMSE" if name == "squared" else name
        error = gap.std() / np.sqrt(len(gap))
        print(f"{what}: ordinal less rating {gap.mean():+.4f} ± {error:.4f}")


def model_errors(row: dict[str, Any]) -> np.ndarray:
    """Absolute errors of a row of figures."""
    return np.sqrt(row["squared"])


def means(row: dict[str, Any]) -> dict[str, float]:
    """The mean log-likelihoods of a row of figures."""
    return {name: float(row[name].mean()) for name in ("nll", "liking")}


if __name__ == "__main__":
    main()
