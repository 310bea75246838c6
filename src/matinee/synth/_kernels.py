"""Compiled parts of the generator.

Every random number is a hash of (seed, user, purpose, counter): splitmix64, used as a
counter. So a user's ratings do not depend on what else is generated.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..base.arrays import Float32, Float64, Int32, Int64, Mask
from ..base.compiled import kernel, part
from ..base.splitmix import FIRST, GOLDEN, mixed
from ..base.top import ROOT, offer, put_in_order

_12 = np.uint64(12)

# What a stream of random numbers of one user is for. Numba compiles a function for each literal.
_TRAITS, _PICKS, _RACE, _NOISE, _TIMES = (np.int64(purpose) for purpose in range(5))

# Rejection examines at most about this share of the items; above, examining all is cheaper.
_RACE_FROM = 16

_SESSION = 0.04
"""Chance that a rating opens a new visit."""
_WITHIN, _BETWEEN = 40.0, 20.0 * 86_400.0
"""Mean seconds to the next rating of a visit, and to the next visit."""


class Parameters(NamedTuple):
    """Parameters of the items and of the generative model, for the kernels.

    Attributes:
        seed: Seed of every stream.
        weights: float64, popularity of each item, shape (n_items,), sums to one.
        threshold: float64, first half of the alias table over ``weights``.
        alias: int32, its second half.
        factors: float64, unit vectors, shape (n_items, rank).
        bias: float64, of each item, in stars of a scale of 1 to 5.
        owed_ptr: int64, shape (n_users + 1,), into ``owed``.
        owed: int32 items that a user rates regardless of weight, so that each item has a rating.
        mean, user_spread, taste, taste_spread, twin, pull, noise: Numbers of ``SynthConfig``.
        n_levels: Number of ratings the scale has.
        low, step: Rating of level ``k`` is ``low + k * step``.
        start, end: Window of the times, seconds since 1970.
    """

    seed: Any
    weights: Float64
    threshold: Float64
    alias: Int32
    factors: Float64
    bias: Float64
    owed_ptr: Int64
    owed: Int32
    mean: float
    user_spread: float
    taste: float
    taste_spread: float
    twin: float
    pull: float
    noise: float
    n_levels: int
    low: float
    step: float
    start: float
    end: float


class Scratch(NamedTuple):
    """Memory of ``draw`` for one user, shape (n_items,) each but for the traits.

    Attributes:
        seen: Items not to draw; all False before and after.
        picks: int32 items.
        gaps: float64 seconds between ratings; keys of a sort before.
        when: int64 times.
        packed: int64 items and positions in one number; codes of a sort before.
        equal: float64 zeros.
        traits: float64 (2 * rank + 2,); see ``_fill_traits``.
    """

    seen: Mask
    picks: Int32
    gaps: Float64
    when: Int64
    packed: Int64
    equal: Float64
    traits: Float64

    @classmethod
    def of(cls, n_items: int, rank: int) -> Scratch:
        """Allocate it."""
        return cls(
            np.zeros(n_items, dtype=np.bool_),
            np.empty(n_items, dtype=np.int32),
            np.empty(n_items),
            np.empty(n_items, dtype=np.int64),
            np.empty(n_items, dtype=np.int64),
            np.zeros(n_items),
            np.empty(2 * rank + 2),
        )


@part()
def _stream(seed: Any, user: Any, purpose: np.int64) -> Any:
    return mixed(mixed(seed + GOLDEN) ^ mixed(np.uint64(user * 8 + purpose) * GOLDEN + FIRST))


@part()
def _uniform(key: Any, at: Any) -> Any:
    """In the open interval (0, 1): 52 bits and a half."""
    return (float(mixed(key + np.uint64(at + 1) * GOLDEN) >> _12) + 0.5) * 2.0**-52


@part()
def _normal(key: Any, at: Any) -> Any:
    radius = math.sqrt(-2.0 * math.log(_uniform(key, 2 * at)))
    return radius * math.cos(2.0 * math.pi * _uniform(key, 2 * at + 1))


@part()
def _fill_traits(key: Any, t: Parameters, traits: Float64) -> None:
    """Two factor vectors (``rank`` numbers each), then the user's bias and match weight."""
    rank = t.factors.shape[1]
    rest = math.sqrt(1.0 - t.twin * t.twin)
    for k in range(2 * rank + 2):
        traits[k] = _normal(key, k)
    for k in range(rank):
        traits[rank + k] = t.twin * traits[k] + rest * traits[rank + k]
    traits[2 * rank] *= t.user_spread
    traits[2 * rank + 1] = t.taste * math.exp(t.taste_spread * traits[2 * rank + 1])


@part()
def _affinity(traits: Float64, item: Any, factors: Float64, twin: float) -> Any:
    """The larger match of the two factor vectors with the item, standardised over all pairs."""
    rank = factors.shape[1]
    first = 0.0
    second = 0.0
    for k in range(rank):
        q = factors[item, k]
        first += traits[k] * q
        second += traits[rank + k] * q
    # The maximum of two standard normals correlated by c has mean sqrt((1 - c) / pi) and
    # variance 1 - (1 - c) / pi.
    share = (1.0 - twin) / math.pi
    return ((first if first > second else second) - math.sqrt(share)) / math.sqrt(1.0 - share)


@part()
def _moments(level: float, sigma: float, n_levels: int) -> tuple[float, float]:
    """Mean and variance of ``level`` plus normal noise, rounded and clipped to the levels.

    From E[k] = sum over j of P(k > j) and E[k^2] = sum over j of (2 j + 1) P(k > j), counted from
    a level below which nothing falls.
    """
    base = math.floor(level - 9.0 * sigma) - 1
    base = base if base > 0 else 0
    top = math.ceil(level + 9.0 * sigma) + 1
    top = top if top < n_levels - 1 else n_levels - 1
    if base >= n_levels - 1:
        return float(n_levels - 1), 0.0
    mean = 0.0
    square = 0.0
    for j in range(base, top):
        above = 0.5 * math.erfc((j + 0.5 - level) / (sigma * math.sqrt(2.0)))
        mean += above
        square += (2 * (j - base) + 1) * above
    variance = square - mean * mean
    return base + mean, variance if variance > 0.0 else 0.0


@part()
def _race(key: Any, wanted: int, scratch: Scratch, t: Parameters) -> None:
    """Draw without replacement by exponential clocks: the smallest times, in order."""
    seen, picks, traits = scratch.seen, scratch.picks, scratch.traits
    negated, codes = scratch.gaps[:wanted], scratch.packed[:wanted]
    n = ROOT
    for item in range(len(t.weights)):
        if not seen[item]:
            pull = 1.0 / (1.0 + math.exp(-t.pull * _affinity(traits, item, t.factors, t.twin)))
            clock = -math.log(_uniform(key, item)) / (t.weights[item] * pull)
            n = offer(negated, codes, n, -clock, item)
    put_in_order(negated, codes, n)
    for k in range(n):
        picks[k] = codes[k]


@part()
def _reject(key: Any, wanted: int, scratch: Scratch, t: Parameters) -> bool:
    """The same distribution as ``_race``, by proposing until accepted; False if it takes long."""
    seen, picks, traits = scratch.seen, scratch.picks, scratch.traits
    n_items = len(t.weights)
    drawn = 0
    for attempt in range(1000 + 100 * wanted):
        if drawn == wanted:
            break
        point = _uniform(key, 2 * attempt) * n_items
        item = np.int64(point) if point < n_items else np.int64(n_items - 1)
        if point - item >= t.threshold[item]:
            item = np.int64(t.alias[item])
        if seen[item]:
            continue
        pull = 1.0 / (1.0 + math.exp(-t.pull * _affinity(traits, item, t.factors, t.twin)))
        if _uniform(key, 2 * attempt + 1) < pull:
            seen[item] = True
            picks[drawn] = item
            drawn += 1
    for k in range(drawn):
        seen[picks[k]] = False
    return drawn == wanted


@part()
def _fill_times(key: Any, n: int, start: float, end: float, gaps: Float64, times: Int64) -> None:
    """Strictly increasing: visits of many quick ratings, from a random day of the window on."""
    at = start + (end - start) * _uniform(key, ROOT)
    total = 0.0
    for k in range(n):
        mean = _BETWEEN if _uniform(key, 2 * k + 1) < _SESSION else _WITHIN
        gaps[k] = -mean * math.log(_uniform(key, 2 * k + 2))
        total += gaps[k]
    shrink = (end - at) / total
    shrink = shrink if shrink < 1.0 else 1.0
    last = np.int64(-1)
    for k in range(n):
        at += shrink * gaps[k]
        second = np.int64(at)
        last = second if second > last else last + 1
        times[k] = last


@kernel()
def draw(
    first: int, offsets: Int64, t: Parameters, scratch: Scratch, items: Int32, times: Int64
) -> None:
    """What consecutive users rate and when, each user's ascending by item.

    Args:
        first: Code of the first user.
        offsets: int64, start of each user's ratings in the columns, shape (users + 1,).
        t: The model.
        scratch: Memory for one user.
        items: int32 column to fill with item codes.
        times: int64 column to fill with times.
    """
    n_items = len(t.weights)
    seen, picks, gaps, when, packed, equal, traits = scratch
    for row in range(len(offsets) - 1):
        user = first + row
        at = offsets[row]
        n = offsets[row + 1] - at
        _fill_traits(_stream(t.seed, user, _TRAITS), t, traits)
        owed, stop = t.owed_ptr[user], t.owed_ptr[user + 1]
        for k in range(owed, stop):
            seen[t.owed[k]] = True
        free = n - (stop - owed)
        if free * _RACE_FROM > n_items or not _reject(
            _stream(t.seed, user, _PICKS), free, scratch, t
        ):
            _race(_stream(t.seed, user, _RACE), free, scratch, t)
        for k in range(owed, stop):
            seen[t.owed[k]] = False
            picks[free + k - owed] = t.owed[k]
        _fill_times(_stream(t.seed, user, _TIMES), n, t.start, t.end, gaps, when)

        # An item and its place in the order of time, in one sortable number.
        for k in range(n):
            packed[k] = (np.int64(picks[k]) << 32) | k
        put_in_order(equal, packed, n)
        for k in range(n):
            items[at + k] = packed[k] >> 32
            times[at + k] = when[packed[k] & 0xFFFFFFFF]


@kernel()
def rate(
    users: Int32,
    items: Int32,
    t: Parameters,
    traits: Float64,
    mean: Float64,
    variance: Float64,
    values: Float32,
    sums: Float64,
) -> None:
    """Compute E[rating | pair] and Var[rating | pair] of pairs of codes, or ratings and their sums.

    Args:
        users: int32 (n,), quickest sorted. For ratings, all of theirs, of consecutive users.
        items: int32 (n,).
        t: The model.
        traits: float64 (2 * rank + 2,), scratch.
        mean: float64 (n,) to fill; not for ratings.
        variance: float64 (n,), likewise.
        values: float32 (n,) to fill with ratings; empty for moments.
        sums: float64 (users, 3), to which each user's sums of Var[rating | pair], of ratings and of
            their squares are added; not for moments.
    """
    rank = t.factors.shape[1]
    sigma = t.noise / 4.0 * (t.n_levels - 1)
    last, first, noise = np.int64(-1), 0, np.uint64(0)
    for k in range(len(users)):
        user, item = np.int64(users[k]), np.int64(items[k])
        if user != last:
            last, first, noise = user, k, _stream(t.seed, user, _NOISE)
            _fill_traits(_stream(t.seed, user, _TRAITS), t, traits)
        affinity = _affinity(traits, item, t.factors, t.twin)
        stars = t.mean + t.bias[item] + traits[2 * rank] + traits[2 * rank + 1] * affinity
        # The exact latent score, in levels: 0 is the lowest rating.
        level = (stars - 1.0) / 4.0 * (t.n_levels - 1)
        moments = _moments(level, sigma, t.n_levels)
        if len(values) == 0:
            mean[k] = t.low + t.step * moments[0]
            variance[k] = t.step * t.step * moments[1]
            continue
        drawn = math.floor(level + sigma * _normal(noise, k - first) + 0.5)
        drawn = drawn if drawn > 0 else 0
        drawn = drawn if drawn < t.n_levels - 1 else t.n_levels - 1
        rating = t.low + t.step * drawn
        row = user - users[0]
        values[k] = rating
        sums[row, 0] += moments[1] * t.step * t.step
        sums[row, 1] += rating
        sums[row, 2] += rating * rating


def alias_table(weights: Float64) -> tuple[Float64, Int32]:
    """Walker's alias table of weights that sum to one (Vose's construction)."""
    threshold, alias = (weights * len(weights)).tolist(), list(range(len(weights)))
    small = [k for k, share in enumerate(threshold) if share < 1.0]
    large = [k for k, share in enumerate(threshold) if not share < 1.0]
    while small and large:
        k, top = small.pop(), large[-1]
        alias[k] = top
        threshold[top] -= 1.0 - threshold[k]
        if threshold[top] < 1.0:
            small.append(large.pop())
    for k in small + large:  # 1 but for rounding
        threshold[k] = 1.0
    return np.array(threshold), np.array(alias, dtype=np.int32)
