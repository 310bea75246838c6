"""Settle repeated ratings of one item by one user."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int32, Int64
from ..base.memory import chunks
from ..errors import UsageError, nearest
from .read.options import Repeats


def check_policy(repeats: str) -> None:
    """Refuse an unknown policy.

    Raises:
        UsageError: An unknown policy; the message lists them.
    """
    known = get_args(Repeats)
    if repeats not in known:
        raise UsageError(
            f"repeats {repeats!r}: must be {', '.join(known[:-1])} or {known[-1]}"
            f"{nearest(repeats, known)}"
        )


def repeated(users: Int32, items: Int32) -> Int64:
    """Return the positions of entries with the same pair as the previous entry.

    Args:
        users: int32 codes, ascending, shape (n,).
        items: int32 codes, ascending within a user, shape (n,).
    """
    positions = [np.empty(0, dtype=np.int64)]
    for some in chunks(len(users) - 1):
        later = slice(some.start + 1, some.stop + 1)
        same = (users[some] == users[later]) & (items[some] == items[later])
        positions.append(np.flatnonzero(same) + later.start)
    return np.concatenate(positions)


def resolve(
    positions: Int64,
    values: Float32,
    times: Int64 | None,
    repeats: str,
    noun: str = "rating",
    weights: Float32 | None = None,
) -> tuple[Int64, str]:
    """Choose one entry of each repeated pair and set its value.

    Args:
        positions: Where an entry has the pair of the one before it, ascending; not empty.
        values: float32 ratings ordered by pair, the entries of a pair in the order they were
            read. The value of a kept entry is changed in place.
        times: Their times, or None.
        repeats: ``"last"``, ``"mean"`` or ``"sum"``.
        noun: What an entry is called in the sentence.
        weights: float32 weights of ratings, or None. A mean is weighted by them, and has their
            mean, which is written in place.

    Returns:
        Positions of the entries to drop, ascending, and a sentence on what was done.
    """
    first = np.concatenate(([True], np.diff(positions) > 1))
    starts = positions[first] - 1
    lengths = np.diff(np.append(np.flatnonzero(first), len(positions))) + 1
    members = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    group = np.repeat(np.arange(len(starts)), lengths)
    latest = _latest(members, group, lengths, times)
    if repeats in ("mean", "sum"):
        each: Float64 = values[members].astype(np.float64)
        mass: Array = lengths
        if repeats == "mean" and weights is not None:
            each *= weights[members]
            mass = np.bincount(group, weights=weights[members])
            weights[latest] = mass / lengths
        totals = np.bincount(group, weights=each)
        values[latest] = totals / mass if repeats == "mean" else totals
        done = f"took the {repeats} of each"
    else:
        done = "kept the last by time" if times is not None else "kept the last in row order"
    count = len(positions)
    return np.setdiff1d(members, latest, assume_unique=True), (
        f"{count:,} repeated {noun}{'s' * (count != 1)} of the same item by the same user: {done}"
    )


def repeated_in(notes: Iterable[str]) -> int:
    """Return the number of repeated ratings in the notes that ``resolve`` wrote."""
    matches = (re.match(r"([\d,]+) repeated (?:rating|interaction)", note) for note in notes)
    return sum(int(match[1].replace(",", "")) for match in matches if match)


def _latest(members: Int64, group: Array, lengths: Array, times: Int64 | None) -> Int64:
    """Of each group its last member by time, and by row order among equals."""
    ends = np.cumsum(lengths) - 1
    if times is None:
        return np.asarray(members[ends])
    order = np.lexsort((np.arange(len(members)), times[members], group))
    return np.asarray(members[order][ends])
