"""Split ratings into parts to train on, choose by and score.

Every protocol gives each rating to one part. The parts share the vocabularies of the whole, and
the same ratings, in the same order, split with the same seed give the same parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from ...base.compiled import kernel
from ...errors import DataError, UsageError, nearest
from ..ratings import Ratings

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Sequence = npt.NDArray[np.signedinteger[Any]]

Protocol = Literal["random", "user", "last", "time"]
"""How ratings are held out: see ``split``."""

Moment = int | str
"""Seconds since 1970-01-01 UTC, or an ISO 8601 date or time (UTC where it names no zone)."""

TRAIN, VALID, TEST = 0, 1, 2


class FoldIn(NamedTuple):
    """A user hold-out: the people of ``given`` and ``scored`` are in no way part of ``train``."""

    train: Ratings
    given: Ratings
    scored: Ratings


def split(
    ratings: Ratings,
    holdout: float = 0.2,
    seed: int = 0,
    by: Protocol = "random",
    *,
    at: Moment | None = None,
) -> tuple[Ratings, Ratings]:
    """Split ratings into a part to train on and a part held out.

    - ``random``: ratings at random, whoever gave them. Some users and items may be left with no
      training rating.
    - ``user``: of each user, ratings at random.
    - ``last``: of each user, the latest ratings.
    - ``time``: the latest ratings of all: a share of exactly that size, or those from one moment
      on (``at``).

    Where ``last`` or a share by ``time`` must choose among ratings of the same second (MovieLens
    has many), chance does, by the seed: any order of the table would favour some items. A cut
    ``at`` a moment divides no second.

    With ``user`` and ``last`` each user keeps a training rating: who has one rating has none held
    out, and who has no more than the number to hold out keeps one. A share is rounded for each
    user, half upwards.

    Args:
        ratings: The ratings to split.
        holdout: A share, between 0 and 1, or a whole number of ratings: in all for ``random`` and
            ``time``, of each user for ``user`` and ``last``.
        seed: Seed of whatever is left to chance.
        by: The protocol.
        at: For ``time``: the moment to cut at instead of a share; ratings from it on are held out.

    Returns:
        The ratings to train on and those held out.

    Raises:
        UsageError: No such protocol, or a hold-out that cannot be one.
        DataError: The protocol needs times and there are none, or a part would be empty.
    """
    part = assign(ratings, holdout=holdout, valid=0, seed=seed, by=by, at=at)
    return _checked(ratings, part, TRAIN, "train"), _checked(ratings, part, TEST, "test")


def split_three(
    ratings: Ratings,
    holdout: float = 0.1,
    valid: float = 0.1,
    seed: int = 0,
    by: Protocol = "random",
    *,
    at: tuple[Moment, Moment] | None = None,
) -> tuple[Ratings, Ratings, Ratings]:
    """Split ratings into a part to train on, one to choose by, and one to score.

    Args:
        ratings: The ratings to split.
        holdout: What to score, as in ``split``.
        valid: What to choose by, in the same terms: a share is one of all ratings (or of all of
            a user's), not of what the test part leaves. It comes before the test part in time
            with ``last`` and ``time``.
        seed: As in ``split``. The test part is the one ``split`` gives.
        by: As in ``split``.
        at: For ``time``: the moments at which the second and the third part begin.

    Returns:
        The ratings to train on, to validate by and to test on.

    Raises:
        UsageError: No such protocol, or a hold-out that cannot be one.
        DataError: The protocol needs times and there are none, or a part would be empty.
    """
    part = assign(ratings, holdout=holdout, valid=valid, seed=seed, by=by, at=at)
    return (
        _checked(ratings, part, TRAIN, "train"),
        _checked(ratings, part, VALID, "validation"),
        _checked(ratings, part, TEST, "test"),
    )


def split_users(
    ratings: Ratings,
    holdout: float = 0.2,
    seed: int = 0,
    *,
    given: float = 0.8,
    by: Literal["user", "last"] = "user",
) -> FoldIn:
    """Hold out whole users, to score how well people never trained on are folded in.

    Of each held-out user, some ratings are given to the model and the rest are scored. Users with
    one rating cannot be divided and always train.

    Args:
        ratings: The ratings to split.
        holdout: A share of the users, or a whole number of them, drawn at random.
        seed: Seed of the draw.
        given: The share of each held-out user's ratings that the model is given; at least one is
            given and at least one scored.
        by: Which ratings are scored: some at random (``user``) or the latest (``last``).

    Returns:
        The training ratings of all other users, and the given and scored ones of these.

    Raises:
        UsageError: A share that cannot be one.
        DataError: Too few users have two ratings, or there are no times to go by.
    """
    if not 0 < given < 1:
        raise UsageError(f"given = {given:g}: a share lies between 0 and 1")
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    able = np.flatnonzero(counts >= 2)
    wanted = _number("holdout", holdout, int(np.count_nonzero(counts)))
    if not 0 < wanted <= len(able) or wanted == np.count_nonzero(counts):
        raise DataError(
            f"{ratings.name}: cannot hold out {wanted:,} users: of "
            f"{np.count_nonzero(counts):,}, {len(able):,} have two ratings or more, and someone "
            "must be left to train on"
        )
    rng = np.random.default_rng(seed)
    chosen = np.zeros(ratings.n_users, dtype=bool)
    chosen[rng.choice(able, size=wanted, replace=False)] = True
    rows = np.flatnonzero(chosen[ratings.users])
    held = ratings.take(rows)
    scored = np.clip(np.floor(counts * (1 - given) + 0.5).astype(np.int64), 1, counts - 1)
    sequence = _shuffled(len(held), rng) if by == "user" else _in_time(held, rng)
    part = _from_the_end(held, sequence, scored, np.zeros_like(scored))
    return FoldIn(
        ratings.take(~chosen[ratings.users]), held.take(part == TRAIN), held.take(part == TEST)
    )


def kfold(ratings: Ratings, k: int = 5, seed: int = 0) -> Iterator[tuple[Ratings, Ratings]]:
    """Split ratings at random into ``k`` folds, and give each in turn as the test part.

    Args:
        ratings: The ratings to split.
        k: Number of folds, 2 or more; their sizes differ by at most one.
        seed: Seed of the draw.

    Yields:
        All ratings but one fold, and that fold.

    Raises:
        UsageError: ``k`` is less than 2.
        DataError: There are fewer ratings than folds.
    """
    fold = fold_of(ratings, k, seed)
    return ((ratings.take(fold != at), ratings.take(fold == at)) for at in range(k))


def fold_of(ratings: Ratings, k: int, seed: int) -> Int32:
    """The fold of each rating, int32 in ``0 .. k-1``, shape (n,)."""
    if k < 2:
        raise UsageError(f"k = {k}: a k-fold split needs 2 folds or more")
    if k > len(ratings):
        raise DataError(f"{ratings.name}: {len(ratings):,} ratings are too few for {k} folds")
    fold = np.empty(len(ratings), dtype=np.int32)
    fold[_shuffled(len(ratings), np.random.default_rng(seed))] = (
        np.arange(len(ratings), dtype=np.int64) * k // len(ratings)
    )
    return fold


def assign(
    ratings: Ratings,
    *,
    holdout: float,
    valid: float,
    seed: int,
    by: Protocol,
    at: Moment | tuple[Moment, Moment] | None = None,
) -> Int8:
    """The part of each rating (``TRAIN``, ``VALID``, ``TEST``), int8, shape (n,)."""
    if by not in get_args(Protocol):
        known = get_args(Protocol)
        raise UsageError(
            f"no split by {by!r}{nearest(str(by), known)} (there are {', '.join(known)}; "
            "split_users holds out whole users)"
        )
    if at is not None and by != "time":
        raise UsageError(f"a split by {by!r} cuts at no moment; at goes with by='time'")
    n = len(ratings)
    rng = np.random.default_rng(seed)
    if by in ("user", "last"):
        counts = np.bincount(ratings.users, minlength=ratings.n_users)
        test = np.minimum(_per_user("holdout", holdout, counts), np.maximum(counts - 1, 0))
        middle = (
            np.minimum(_per_user("valid", valid, counts), np.maximum(counts - 1 - test, 0))
            if valid
            else np.zeros_like(test)
        )
        sequence = _shuffled(n, rng) if by == "user" else _in_time(ratings, rng)
        return _from_the_end(ratings, sequence, test, middle)
    part = np.zeros(n, dtype=np.int8)
    if by == "time" and at is not None:
        times = _times(ratings)
        cuts = [seconds(moment) for moment in (at if isinstance(at, tuple) else (at,))]
        if cuts != sorted(cuts):
            raise UsageError(f"at = {at!r}: the parts must begin one after the other")
        part[times >= cuts[0]] = VALID
        part[times >= cuts[-1]] = TEST
        return part
    n_test = _number("holdout", holdout, n)
    n_middle = _number("valid", valid, n) if valid else 0
    if n_test + n_middle >= n:
        raise UsageError(
            f"holdout = {holdout:g}{f' and valid = {valid:g}' if valid else ''} of {n:,} ratings "
            "leave none to train on"
        )
    if by == "random":
        order = _shuffled(n, rng)
        part[order[n - n_test :]] = TEST
        part[order[n - n_test - n_middle : n - n_test]] = VALID
        return part
    times = _times(ratings)
    if times.min() == times.max():
        raise DataError(f"{ratings.name}: every rating has the same time; nothing to split by")
    if n_middle:
        part[~_earliest(times, n - n_test - n_middle, seed)] = VALID
    part[~_earliest(times, n - n_test, seed)] = TEST
    return part


def seconds(moment: Moment) -> int:
    """A moment in seconds since 1970-01-01 UTC."""
    if not isinstance(moment, str):
        return int(moment)
    if moment.strip().lstrip("-").isdigit():
        return int(moment)
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        raise UsageError(
            f"{moment!r} is no moment: write seconds since 1970, or a date as in 2001-12-31"
        ) from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def _number(name: str, wanted: float, n: int) -> int:
    """A share of ``n`` or a whole number, as a number."""
    if 0 < wanted < 1:
        return n - round((1 - wanted) * n)
    if not (wanted >= 1 and wanted == np.floor(wanted) and np.isfinite(wanted)):
        raise UsageError(f"{name} = {wanted:g}: give a share between 0 and 1, or a whole number")
    return int(wanted)


def _per_user(name: str, wanted: float, counts: Int64) -> Int64:
    if 0 < wanted < 1:
        return np.asarray(np.floor(counts * wanted + 0.5), dtype=np.int64)
    return np.full_like(counts, _number(name, wanted, 0))


def _shuffled(n: int, rng: np.random.Generator) -> Sequence:
    order: Sequence = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    rng.shuffle(order)
    return order


def _times(ratings: Ratings) -> Int64:
    if ratings.times is None:
        raise DataError(
            f"{ratings.name} has no times to split by: map their column with --time (time= in "
            "Python), or split by 'random' or 'user'"
        )
    return ratings.times


def _in_time(ratings: Ratings, rng: np.random.Generator) -> Sequence:
    """All positions by time, those of the same second shuffled."""
    times = _times(ratings)
    order = _shuffled(len(ratings), rng)
    sequence: Sequence = order[np.argsort(times[order], kind="stable")]
    return sequence


def _earliest(times: Int64, k: int, seed: int) -> npt.NDArray[np.bool_]:
    """A mask of the ``k`` earliest; of the last one's second, as many as needed by chance.

    With one seed, the mask of a smaller ``k`` is part of that of a larger.
    """
    if not 0 < k < len(times):
        return np.full(len(times), k > 0)
    latest = np.partition(times, k - 1)[k - 1]
    mask: npt.NDArray[np.bool_] = times < latest
    same = np.random.default_rng(seed).permutation(np.flatnonzero(times == latest))
    mask[same[: k - int(np.count_nonzero(mask))]] = True
    return mask


@kernel()
def _label(
    users: Int32, sequence: Sequence, left: Int64, test: Int64, middle: Int64, part: Int8
) -> None:
    for i in sequence:
        u = users[i]
        left[u] -= 1  # Ratings of this user still to come.
        if left[u] < test[u]:
            part[i] = 2
        elif left[u] < test[u] + middle[u]:
            part[i] = 1


def _from_the_end(ratings: Ratings, sequence: Sequence, test: Int64, middle: Int64) -> Int8:
    """Label the last ratings of each user in a sequence of all: test, and before them valid."""
    part = np.zeros(len(ratings), dtype=np.int8)
    left = np.bincount(ratings.users, minlength=ratings.n_users).astype(np.int64)
    _label(ratings.users, sequence, left, test, middle, part)
    return part


def _checked(ratings: Ratings, part: Int8, which: int, name: str) -> Ratings:
    found = ratings.take(part == which)
    if not len(found):
        raise DataError(f"{ratings.name}: this split leaves the {name} part empty")
    return found
