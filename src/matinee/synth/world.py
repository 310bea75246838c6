"""The generative model of synthetic ratings: users, items, and exact expected ratings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, model_validator

from ..base.arrays import Float32, Float64, Int32, Int64, row_bounds
from ..config import Config
from ..data.ratings import Ratings, Scale
from ..data.side.items import ItemTable
from ..data.vocabulary import Vocabulary
from ..errors import UnknownIdError
from ._kernels import Parameters, Scratch, alias_table, draw, rate
from ._titles import make_titles

_GENRES = {
    "Drama": 0.24,
    "Comedy": 0.2,
    "Thriller": 0.09,
    "Action": 0.09,
    "Romance": 0.08,
    "Horror": 0.06,
    "Adventure": 0.05,
    "Sci-Fi": 0.05,
    "Crime": 0.04,
    "Children's": 0.03,
    "Documentary": 0.02,
    "Animation": 0.02,
    "Mystery": 0.02,
    "Fantasy": 0.02,
    "War": 0.02,
    "Musical": 0.02,
    "Western": 0.01,
    "Film-Noir": 0.01,
}
"""Share of the films by main genre, rounded from the MovieLens catalogues."""

_WINDOW = (946_684_800, 1_104_537_600)
"""2000-01-01 to 2005-01-01; every film is from before it."""


_STATED = (
    *("mean", "user_spread", "taste", "taste_spread", "twin", "pull", "noise"),
    *("n_levels", "low", "step"),
)
"""Parameters of the kernels that ``SynthConfig`` states."""


class SynthConfig(Config):
    """Parameters of synthetic ratings. Standard deviations are in stars of a scale of 1 to 5."""

    model_config = ConfigDict(allow_inf_nan=False)

    users: Annotated[int, Field(ge=2, le=2**31 - 1)]
    """Number of users; each has a rating."""
    items: Annotated[int, Field(ge=2, le=2**31 - 1)]
    """Number of items; each has a rating."""
    ratings: Annotated[int, Field(ge=2)]
    """Number of ratings, exactly."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Same seed and options, same ratings."""
    low: float = 1.0
    """Lowest rating."""
    high: float = 5.0
    """Highest rating."""
    step: Annotated[float, Field(gt=0)] = 1.0
    """Distance between two ratings of the scale."""
    rank: Annotated[int, Field(ge=1, le=512)] = 8
    """Number of factors of a user's preferences, and of an item."""
    noise: Annotated[float, Field(gt=0)] = 0.85
    """Standard deviation of the irreducible noise, before rounding."""
    mean: float = 3.23
    """Score at biases and match of 0, on the scale of 1 to 5."""
    item_spread: Annotated[float, Field(ge=0)] = 0.64
    """Standard deviation of the item biases."""
    user_spread: Annotated[float, Field(ge=0)] = 0.44
    """Standard deviation of the user biases."""
    taste: Annotated[float, Field(ge=0)] = 0.485
    """Weight of the user-item match in the score, for the median user."""
    taste_spread: Annotated[float, Field(ge=0)] = 0.3
    """Standard deviation of the log of that weight over users."""
    twin: Annotated[float, Field(ge=-1, le=1)] = 0.3
    """Correlation of an account's two factor vectors; at 1 scores are linear in the factors."""
    genre: Annotated[float, Field(ge=0, le=1)] = 0.6
    """Fraction of the variance of an item's factors that its genres explain."""
    fame: Annotated[float, Field(ge=-1, le=1)] = 0.4
    """Correlation of an item's bias with its popularity."""
    pull: Annotated[float, Field(ge=0)] = 0.7
    """Effect of the match on which items a user rates; 0 for none."""
    skew: Annotated[float, Field(ge=0)] = 0.7
    """Exponent of the popularity of items by rank (Zipf-Mandelbrot)."""
    cutoff: Annotated[float, Field(ge=0)] = 3.0
    """Cutoff of the long tail: popularity times exp(-cutoff * rank), with ranks from 0 to 1."""
    activity: Annotated[float, Field(ge=0)] = 1.0
    """Standard deviation of the log of a user's number of ratings above the least."""
    least: Annotated[int, Field(ge=0)] = 0
    """Minimum ratings of a user; 0 for a fifth of the mean, but at least 1 and at most 20."""

    @property
    def n_levels(self) -> int:
        """Number of distinct ratings of the scale."""
        return round((self.high - self.low) / self.step) + 1

    @model_validator(mode="after")
    def _possible(self) -> SynthConfig:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"the scale {self.low:g} to {self.high:g} is empty")
        steps = (self.high - self.low) / self.step
        if abs(steps - round(steps)) > 1e-6 * max(1.0, steps) or round(steps) < 1:
            raise ValueError(
                f"step {self.step:g} does not divide the scale {self.low:g} to {self.high:g}"
            )
        if self.n_levels > 100_000:
            raise ValueError(f"{self.n_levels:,} different ratings; at most 100,000")
        pairs = self.users * self.items
        if self.ratings > pairs:
            raise ValueError(
                f"{self.ratings:,} ratings asked for, but {self.users:,} users x "
                f"{self.items:,} items are only {pairs:,} pairs"
            )
        need = max(self.users, self.items)
        if self.ratings < need:
            raise ValueError(
                f"{self.ratings:,} ratings cannot give each of {self.users:,} users and "
                f"{self.items:,} items one; ask for at least {need:,}"
            )
        if self.least > self.items or self.least * self.users > self.ratings:
            limit = min(self.items, self.ratings // self.users)
            raise ValueError(
                f"least = {self.least:,}: {self.ratings:,} ratings of {self.items:,} items "
                f"by {self.users:,} users allow at most {limit:,}"
            )
        return self


class Chunk(NamedTuple):
    """The ratings of consecutive users, in order of user then item.

    Attributes:
        users: int32 user codes, shape (n,).
        items: int32 item codes, shape (n,).
        values: float32 ratings, shape (n,).
        times: int64 seconds since 1970, shape (n,).
        sums: float64, shape (users, 3): per user the sums of Var[rating | pair], of the ratings
            and of their squares.
    """

    users: Int32
    items: Int32
    values: Float32
    times: Int64
    sums: Float64


class World:
    """Synthetic users and items; the distribution of every rating is known.

    A score is ``mean + user bias + item bias + weight * match``, where the match is the larger of
    the dot products of the account's two factor vectors (people share accounts) with the item's;
    the rating is the score plus normal noise, rounded and clipped to the scale. Users rate popular
    items and, to a smaller degree, items that they will like, so ratings are not missing at random.
    External ids are 1, 2, ...

    Attributes:
        config: The parameters.
        counts: int64 ratings of each user, shape (users,); they sum to ``config.ratings``.
    """

    def __init__(self, config: SynthConfig) -> None:
        from scipy.special import ndtri

        self.config = config
        self.counts = _activity(config, _generator(config, 1))
        self._genres, factors = _catalogue(config, _generator(config, 2))
        rng = _generator(config, 3)
        rank = rng.permutation(config.items)
        share = (rank + 0.5) / config.items
        weights = (share + 0.015) ** -config.skew * np.exp(-config.cutoff * share)
        weights /= weights.sum()
        luck = rng.standard_normal(config.items)
        fame = config.fame * ndtri(1.0 - share) + math.sqrt(1.0 - config.fame**2) * luck
        owed = rng.permutation(config.items).astype(np.int32)
        position = np.arange(config.items, dtype=np.int64) * config.ratings // config.items
        owner = np.searchsorted(np.cumsum(self.counts), position, side="right")
        threshold, alias = alias_table(weights)
        self._tables = Parameters(
            seed=np.uint64(config.seed),
            weights=weights,
            threshold=threshold,
            alias=alias,
            factors=factors,
            bias=config.item_spread * fame,
            owed_ptr=np.searchsorted(owner, np.arange(config.users + 1)).astype(np.int64),
            owed=owed,
            **{name: getattr(config, name) for name in _STATED},
            start=float(_WINDOW[0]),
            end=float(_WINDOW[1]),
        )

    @property
    def scale(self) -> Scale:
        """The range of the ratings."""
        return Scale(self.config.low, self.config.high)

    @cached_property
    def item_table(self) -> ItemTable:
        """Invented titles and genres; the genres go with the tastes."""
        rng = _generator(self.config, 4)
        years = 1999 - np.minimum(rng.exponential(14.0, self.config.items), 69).astype(int)
        titles = np.array(make_titles(years.tolist(), rng), dtype=object)
        return ItemTable(titles, np.fromiter(self._genres, dtype=object))

    def chunks(
        self, size: int, threads: int, report: Callable[[int], object] | None = None
    ) -> Iterator[Chunk]:
        """Yield all ratings, in order; independent of the chunk size and the threads.

        Args:
            size: Ratings per chunk, about: a user is never cut.
            threads: How many users to work on at a time.
            report: Called with the number of ratings done since the last call.
        """
        stops = np.cumsum(self.counts)
        first = 0
        with ThreadPoolExecutor(threads) as pool:
            while first < self.config.users:
                begun = int(stops[first - 1]) if first else 0
                last = max(first + 1, int(np.searchsorted(stops, begun + size, side="right")))
                yield self._draw(first, last, pool, threads, report)
                first = last

    def _draw(
        self,
        first: int,
        last: int,
        pool: ThreadPoolExecutor,
        threads: int,
        report: Callable[[int], object] | None,
    ) -> Chunk:
        bounds = row_bounds(self.counts[first:last])
        n = int(bounds[-1])
        out = Chunk(
            np.empty(n, np.int32),
            np.empty(n, np.int32),
            np.empty(n, np.float32),
            np.empty(n, np.int64),
            np.zeros((last - first, 3)),
        )
        # Several parts per thread, since heavy users cost more.
        parts = min(last - first, 1 if threads == 1 else 8 * threads)
        marks = np.searchsorted(bounds, np.linspace(0, n, parts + 1)[1:-1])
        edges = [0, *np.unique(marks[(marks > 0) & (marks < last - first)]).tolist(), last - first]

        def work(begin: int, end: int) -> int:
            own, people = slice(bounds[begin], bounds[end]), slice(first + begin, first + end)
            tables, scratch = self._tables, Scratch.of(*self._tables.factors.shape)
            users, items, values = out.users[own], out.items[own], out.values[own]
            users[:] = np.repeat(np.arange(people.start, people.stop), self.counts[people])
            offsets, sums, none = row_bounds(self.counts[people]), out.sums[begin:end], np.empty(0)
            draw(people.start, offsets, tables, scratch, items, out.times[own])
            rate(users, items, tables, scratch.traits, none, none, values, sums)
            return len(users)

        for done in pool.map(work, edges[:-1], edges[1:]):
            if report is not None:
                report(done)
        return out

    def expected(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Float64:
        """Return E[rating | user, item]: the optimal prediction under squared error.

        Args:
            users: External user ids, shape (n,).
            items: External item ids, shape (n,).

        Returns:
            float64, shape (n,), in rating units.

        Raises:
            UnknownIdError: An id is not of this world.
        """
        return self._moments(users, items)[0]

    def variance(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Float64:
        """Var[rating | user, item]: the irreducible squared error, float64, shape (n,)."""
        return self._moments(users, items)[1]

    def floor_of(self, ratings: Ratings) -> float:
        """Return the lowest reachable RMSE on some of the ratings: a test part, say."""
        users, items = ratings.user_ids, ratings.item_ids
        variance = self.variance(users.decode(ratings.users), items.decode(ratings.items))
        return math.sqrt(float(variance.mean()))

    def _moments(self, users: npt.ArrayLike, items: npt.ArrayLike) -> tuple[Float64, Float64]:
        user = _codes("user", users, self.config.users)
        item = _codes("item", items, self.config.items)
        if user.shape != item.shape:
            raise ValueError(f"{len(user)} users but {len(item)} items")
        order = np.argsort(user, kind="stable")
        mean, variance = np.empty(len(user)), np.empty(len(user))
        traits = np.empty(2 * self._tables.factors.shape[1] + 2)
        ratings, sums = np.empty(0, dtype=np.float32), np.empty((0, 3))
        rate(user[order], item[order], self._tables, traits, mean, variance, ratings, sums)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return mean[back], variance[back]

    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Return the external ids of users and of items."""
        return (
            Vocabulary(np.arange(1, self.config.users + 1, dtype=np.int64)),
            Vocabulary(np.arange(1, self.config.items + 1, dtype=np.int64)),
        )


def _generator(config: SynthConfig, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([config.seed, purpose])))


def _codes(side: str, ids: npt.ArrayLike, count: int) -> Int32:
    array = np.atleast_1d(np.asarray(ids))
    wrong = np.flatnonzero((array < 1) | (array > count))
    if len(wrong):
        raise UnknownIdError(
            f"{side} {array[wrong[0]]} is not in this synthetic data, whose {side}s are 1 to "
            f"{count:,}"
        )
    return (array - 1).astype(np.int32)


def _activity(config: SynthConfig, rng: np.random.Generator) -> Int64:
    """Ratings per user: the least plus a log-normal part, none above the number of items."""
    mean = config.ratings // config.users
    least = config.least or max(1, min(20, mean // 5))
    part = np.exp(config.activity * rng.standard_normal(config.users))
    room = config.items - least

    def excess(factor: float) -> Float64:
        return np.minimum(factor * part, room)

    target = config.ratings - least * config.users
    low, high = 0.0, 1.0
    while excess(high).sum() < target and high < 1e300:
        high *= 2.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if excess(middle).sum() <= target else (low, middle)
    real = excess(low)
    counts = np.floor(real).astype(np.int64)
    # Largest remainders first; more than one round only if nearly every pair is requested.
    order = np.argsort(np.floor(real) - real, kind="stable")
    while (missing := target - int(counts.sum())) > 0:
        counts[order[counts[order] < room][:missing]] += 1
    return counts + least


def _catalogue(
    config: SynthConfig, rng: np.random.Generator
) -> tuple[list[tuple[str, ...]], Float64]:
    """Genres of each item, and its factors, of unit length, that lean towards its genres'."""
    towards = _unit(rng.standard_normal((len(_GENRES), config.rank)))
    many = 1 + rng.binomial(2, 0.35, config.items)
    clocks = rng.exponential(size=(config.items, len(_GENRES))) / list(_GENRES.values())
    ordered = np.argsort(clocks, axis=1)[:, :3]
    noise = _unit(rng.standard_normal((config.items, config.rank)))
    belongs = np.arange(3)[None, :] < many[:, None]
    pull = _unit((towards[ordered] * belongs[:, :, None]).sum(axis=1))
    factors = _unit(math.sqrt(config.genre) * pull + math.sqrt(1.0 - config.genre) * noise)
    names = list(_GENRES)
    genres = [
        tuple(names[g] for g in row[:count])
        for row, count in zip(ordered.tolist(), many.tolist(), strict=True)
    ]
    return genres, factors


def _unit(rows: Any) -> Float64:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float64)
