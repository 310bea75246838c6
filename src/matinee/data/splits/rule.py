"""``SplitRule``: how ratings are divided, and building blocks of rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Int8, Int32, Int64, Mask
from ...base.compiled import kernel
from ...errors import DataError, UsageError, checked_seed
from ..ratings import Ratings

Sequence = npt.NDArray[np.signedinteger[Any]]

Moment = int | str | date | np.datetime64
"""Seconds since 1970-01-01 UTC, or a date or time, also as ISO 8601 text (UTC if it has no
zone)."""

_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
"""A date without dashes; as seconds it would be a day of August to October 1970."""

TRAIN, VALID, TEST, GIVEN, VALID_GIVEN = 0, 1, 2, 3, 4
"""The parts. ``GIVEN`` and ``VALID_GIVEN`` are ratings of the users of ``TEST`` and ``VALID`` that
a model may use for prediction, but not in training."""


@dataclass(frozen=True)
class Division:
    """Options of a split.

    Attributes:
        holdout: The test part: a share, between 0 and 1, or a whole number.
        valid: The validation part in the same terms; 0 for none.
        seed: Seed of random choices.
        at: Times at which the second and the third part begin, instead of shares.
        given: Share of held-out users' ratings used as history.
        latest: Whether the held-out ratings of held-out users are their latest ones.
    """

    holdout: float = 0.2
    valid: float = 0.0
    seed: int = 0
    at: tuple[Moment, ...] = ()
    given: float = 0.8
    latest: bool = False

    def __post_init__(self) -> None:
        checked_seed(self.seed)
        for name in ("holdout", "valid", "given"):
            size = getattr(self, name)
            if not isinstance(size, int | float | np.number):
                raise UsageError(f"{name} = {size!r}: give a number")


@dataclass(frozen=True)
class SplitRule:
    """A way to divide ratings; an entry of ``RULES``.

    Attributes:
        name: Name of the rule in ``by``.
        assign: The part of each rating, int8, shape (n,): ``TRAIN``, ``VALID``, ``TEST``, and
            ``GIVEN`` and ``VALID_GIVEN`` if ``holds_out_people``. With the same seed the test
            part does not depend on whether there is a validation part.
        summary: What is held out, in a few words, for help and tables.
        describe: The same as a phrase with ``{}`` in place of the amount, for reports.
        cuts: Whether it can cut at moments (``Division.at``).
        holds_out_people: Whether test users have no training ratings.
    """

    name: str
    assign: Callable[[Ratings, Division], Int8]
    summary: str
    describe: str
    cuts: bool = False
    holds_out_people: bool = False

    def held_out(self, size: float) -> str:
        """Describe what is held out: a share, or a whole number."""
        return self.describe.format(size_text(size))


def size_text(size: float) -> str:
    """Write the size of a part: a whole number, or a share below 1 as a percentage."""
    return f"{size:.4g}" if size >= 1 else f"{100 * size:.4g}%"


def seconds(moment: Moment) -> int:
    """Convert a moment to seconds since 1970-01-01 UTC."""
    try:
        if isinstance(moment, str):
            if moment.strip().lstrip("-").isdigit() and not _DAY.fullmatch(moment.strip()):
                return int(moment)
            moment = datetime.fromisoformat(moment.strip())
        if isinstance(moment, datetime):
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        if isinstance(moment, date | np.datetime64):
            second = np.asarray(moment, "datetime64[s]")
            if np.isnat(second):
                raise ValueError
            return int(second.astype(np.int64))
        return int(moment)
    except (OverflowError, TypeError, ValueError):
        raise UsageError(
            f"{moment!r} is not a time: give seconds since 1970, or a date as in 2001-12-31"
        ) from None


def number_of(name: str, wanted: float, n: int) -> int:
    """Convert a share of ``n``, or a whole number, to a number."""
    if 0 < wanted < 1:
        return n - round((1 - wanted) * n)
    if not (wanted >= 1 and wanted == np.floor(wanted) and np.isfinite(wanted)):
        raise UsageError(f"{name} = {wanted:g}: give a share between 0 and 1, or a whole number")
    return int(wanted)


def per_group(name: str, wanted: float, counts: Int64) -> Int64:
    """Convert a share of each count (rounding half up), or a whole number, to numbers."""
    if 0 < wanted < 1:
        return np.asarray(np.floor(counts * wanted + 0.5), dtype=np.int64)
    return np.full_like(counts, number_of(name, wanted, 0))


def shuffled(n: int, rng: np.random.Generator) -> Sequence:
    """Return all positions in random order."""
    order: Sequence = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    rng.shuffle(order)
    return order


def times_of(ratings: Ratings) -> Int64:
    """Return the times of ratings.

    Raises:
        DataError: They have none.
    """
    if ratings.times is None:
        raise DataError(
            f"{ratings.name} has no times to split by: map their column with --time (time= in "
            "Python), or split by a rule that needs none, such as 'random' or 'user'"
        )
    return ratings.times


def in_time(ratings: Ratings, rng: np.random.Generator) -> Sequence:
    """Return all positions by time, shuffled within a second."""
    times = times_of(ratings)
    order = shuffled(len(ratings), rng)
    return order[np.argsort(times[order], kind="stable")]


def earliest(times: Int64, k: int, seed: int) -> Mask:
    """Return the mask of the ``k`` earliest, with a random choice within the last second.

    With one seed, the mask of a smaller ``k`` is contained in that of a larger.
    """
    if not 0 < k < len(times):
        return np.full(len(times), k > 0)
    latest = np.partition(times, k - 1)[k - 1]
    mask: Mask = times < latest
    same = np.random.default_rng(seed).permutation(np.flatnonzero(times == latest))
    mask[same[: k - int(np.count_nonzero(mask))]] = True
    return mask


def held_out_of_each(groups: Int32, n_groups: int, sequence: Sequence, division: Division) -> Int8:
    """Hold out the last ratings of each group (a user, an item) in a sequence of all.

    Each group keeps a training rating.

    Args:
        groups: Code of each rating's group, int32, shape (n,).
        n_groups: Number of codes.
        sequence: Positions of all ratings; of a group, the last are tests, those before validate.
        division: How many: a share is rounded for each group, half upwards.
    """
    counts = np.bincount(groups, minlength=n_groups)
    test = np.minimum(per_group("holdout", division.holdout, counts), np.maximum(counts - 1, 0))
    middle = np.zeros_like(test)
    if division.valid:
        wanted = per_group("valid", division.valid, counts)
        middle = np.minimum(wanted, np.maximum(counts - 1 - test, 0))
    return from_the_end(groups, counts, sequence, test, middle)


def from_the_end(
    groups: Int32, counts: Int64, sequence: Sequence, test: Int64, middle: Int64
) -> Int8:
    """Label the last ratings of each group in a sequence of all: test, and before them valid."""
    part = np.zeros(len(groups), dtype=np.int8)
    _label(groups, sequence, counts.astype(np.int64), test, middle, part)
    return part


@kernel()
def _label(
    groups: Int32, sequence: Sequence, left: Int64, test: Int64, middle: Int64, part: Int8
) -> None:
    for i in sequence:
        u = groups[i]
        left[u] -= 1  # Remaining ratings of this group.
        if left[u] < test[u]:
            part[i] = 2
        elif left[u] < test[u] + middle[u]:
            part[i] = 1
