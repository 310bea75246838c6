"""Which offset for the time since training makes later ratings easier to predict.

    python benchmarks/time_offset.py [--source ml-1m ml-100k ml-latest-small]
    python benchmarks/time_offset.py --cold [--source ...]
    python benchmarks/time_offset.py --models biased-mf default [--source ...]

Only the first four fifths by time are read. The earliest 40, 50, 60, 70 and 80% of these are
training parts; each predicts all that follows, and all that follows but the next tenth. Every way
to fit an offset sees the training part alone: the bias model is fitted on its earliest tenths and
predicts what follows within it. Printed is how much the offset changes the RMSE of the bias model,
in units of 0.0001: the mean of the ten and the worst, for people with ratings and for others.

With --cold, it prints how far the bias model is off on average for people held out whole, at
random, and the mean of the biases of all people, weighed by ratings. With --models, each model is
trained on the training parts and scored by ``evaluate``, which adds the offset of
``baseline/time_offset.py``.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

import matinee
from matinee.baseline import fit_bias
from matinee.baseline.time_offset import DAY, shrunk_coefficient
from matinee.data import Histories, Ratings

SPARE = 0.2
CUTS = (0.4, 0.5, 0.6, 0.7, 0.8)
GAPS = (0.0, 0.1)
TENTHS = tuple(tenth / 10 for tenth in range(1, 10))


class Errors(NamedTuple):
    """Residuals of the bias model on ratings after those it was fitted on."""

    predicted: np.ndarray
    residuals: np.ndarray
    people: np.ndarray
    known: np.ndarray
    days: np.ndarray


def errors(train: Ratings, after: Ratings) -> Errors:
    """Of a bias model fitted on some ratings, on later ones with the same vocabularies."""
    bias = fit_bias(train)
    predicted = bias.predict(Histories.of(train.by_user), after.users, after.items)
    known = np.bincount(train.users, minlength=train.n_users)[after.users] > 0
    last = np.zeros(train.n_users, dtype=np.int64)
    np.maximum.at(last, train.users, train.times)
    days = np.where(known, (after.times - last[after.users]) / DAY, 0.0)
    return Errors(predicted, after.values - predicted, after.users, known, days)


def between(ordered: Ratings, first: float, last: float) -> Ratings:
    """A range of ratings that are in order of time."""
    return ordered.take(np.arange(int(first * len(ordered)), int(last * len(ordered))))


class Way(NamedTuple):
    """A way to fit: origins, how far each predicts, regressor, weight of people, and factor."""

    origins: tuple[float, ...] = TENTHS
    reach: float = 1.0
    regressor: str = "log(1 + days)"
    equal: float = 0.0
    factor: float = 1.0


WAYS = {
    "as built": Way(),
    "not shrunk": Way(factor=0.0),
    "shrunk by 2": Way(factor=2.0),
    "shrunk by 4": Way(factor=4.0),
    "origins from .3": Way(TENTHS[2:]),
    "origins from .5": Way(TENTHS[4:]),
    "the next tenth alone": Way(reach=0.1),
    "log(1 + days / 30)": Way(regressor="log(1 + days / 30)"),
    "square root of days": Way(regressor="sqrt"),
    "a constant": Way(regressor="constant"),
    "people weighed n / (1 + n / 5)": Way(equal=0.2),
    "the same, shrunk by 4": Way(equal=0.2, factor=4.0),
}
REGRESSORS = {
    "log(1 + days)": np.log1p,
    "log(1 + days / 30)": lambda days: np.log1p(days / 30),
    "sqrt": np.sqrt,
    "constant": np.ones_like,
}


def fitted(way: Way, parts: dict[float, Errors], n_users: int, known: bool) -> tuple[float, float]:
    """The coefficient of people with ratings or of those without, and the most days in it."""
    products, squares = np.zeros((2, len(way.origins), n_users))
    longest = 0.0
    for at, origin in enumerate(way.origins):
        part = parts[origin]
        some = part.known == known
        if way.reach < 1:
            reach = int(way.reach / (1 - origin) * len(some) + 0.5)
            some &= np.arange(len(some)) < reach
        x = REGRESSORS[way.regressor](part.days[some]) if known else np.ones(some.sum())
        users = part.people[some]
        weight = 1 / (1 + way.equal * np.bincount(users, minlength=n_users)[users])
        products[at] = np.bincount(users, weight * x * part.residuals[some], minlength=n_users)
        squares[at] = np.bincount(users, weight * x * x, minlength=n_users)
        longest = max(longest, part.days[some].max(initial=0.0))
    plain = products.sum() / max(squares.sum(), 1e-12)
    once = shrunk_coefficient(products, squares)
    share = 1 - once / plain if plain else 0.0  # below 1 where something is left of it
    if way.factor == 1 or not plain:
        return once, longest
    if share >= 1 and way.factor > 0:
        return 0.0, longest
    return plain * max(1 - way.factor * share, 0.0), longest


def compare(source: str) -> None:
    """Print what each way changes."""
    ratings = matinee.load(source)
    ordered = ratings.take(np.argsort(ratings.times, kind="stable"))
    before = between(ordered, 0, 1 - SPARE)
    low, high = ratings.scale.low, ratings.scale.high
    changes: dict[str, list[list[float]]] = {name: [[], []] for name in WAYS}
    for cut in CUTS:
        train = between(before, 0, cut)
        parts = {
            origin: errors(between(train, 0, origin), between(train, origin, 1))
            for origin in TENTHS
        }
        after = errors(train, between(before, cut, 1))
        for gap in GAPS:
            late = np.arange(len(after.known)) >= int(gap * len(before))
            actual = (after.predicted + after.residuals)[late]
            predicted, known, days = (
                each[late] for each in (after.predicted, after.known, after.days)
            )

            def rmse(offset: np.ndarray | float) -> float:
                moved = np.clip(predicted + offset, low, high)  # noqa: B023
                return float(np.sqrt(np.mean(np.square(moved - actual))))  # noqa: B023

            for name, way in WAYS.items():
                slope, longest = fitted(way, parts, ratings.n_users, True)
                new, _ = fitted(way, parts, ratings.n_users, False)
                grown = slope * REGRESSORS[way.regressor](np.minimum(days, longest))
                for side, offset in enumerate(
                    (np.where(known, grown, 0.0), np.where(known, 0.0, new))
                ):
                    changes[name][side].append(1e4 * (rmse(offset) - rmse(0.0)))
    print(
        f"\n| {source} | with ratings | worst | without | worst |\n| --- | --- | --- | --- | --- |"
    )
    for name, sides in changes.items():
        cells = [f"{np.mean(side):.1f} | {max(side):.1f}" for side in sides]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def cold(source: str) -> None:
    """Print the mean residual of new people on random folds, which no time is behind."""
    ratings, _ = matinee.split(matinee.load(source), holdout=SPARE, by="time")
    fold = np.random.default_rng(0).integers(0, 10, ratings.n_users)[ratings.users]
    means = [
        errors(ratings.take(fold != part), ratings.take(fold == part)).residuals.mean()
        for part in range(10)
    ]
    histories = Histories.of(ratings.by_user)
    biases = np.repeat(fit_bias(ratings).user_bias(histories), histories.counts)
    print(
        f"{source}: mean residual {np.mean(means):.3f}, mean bias of a rating {biases.mean():.3f}"
    )


def models(source: str, names: list[str]) -> None:
    """Print the RMSE of models with and without the offset that is built."""
    ratings = matinee.load(source)
    ordered = ratings.take(np.argsort(ratings.times, kind="stable"))
    before = between(ordered, 0, 1 - SPARE)
    for name in names:
        for cut in CUTS[1:]:
            model = matinee.model(name, device="cpu").fit(between(before, 0, cut), seed=0)
            score = model.evaluate(between(before, cut, 1))
            plain = score.baselines.get("no_time_offset", score)
            print(
                f"{source} {name} up to {cut:g}: {plain.rmse:.4f} without, {score.rmse:.4f} with; "
                f"mean error {plain.scores['mean_error'].value:+.3f}, "
                f"{score.scores['mean_error'].value:+.3f}",
                flush=True,
            )


def main() -> None:
    """Compare ways to fit the offset, or score models with it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", nargs="+", default=["ml-1m", "ml-100k", "ml-latest-small"])
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--cold", action="store_true")
    args = parser.parse_args()
    for source in args.source:
        if args.cold:
            cold(source)
        elif args.models:
            models(source, args.models)
        else:
            compare(source)


if __name__ == "__main__":
    main()
