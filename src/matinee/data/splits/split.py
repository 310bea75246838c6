"""Split ratings into training, validation and test parts.

Every rule assigns each rating to one part. The parts share the vocabularies of the whole, and the
same ratings, in the same order, split with the same seed give the same parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from ...base.arrays import Int8, Int32
from ...errors import DataError, UsageError, checked_seed
from ..coerce import RatingsLike, as_ratings
from ..ratings import Ratings
from .rule import GIVEN, TEST, TRAIN, VALID, VALID_GIVEN, Division, Moment, shuffled
from .rules import RULES, rule_of


class SplitParts(NamedTuple):
    """All parts of a split.

    Attributes:
        train: The training part.
        valid: The validation part; None if not requested.
        test: The test part.
        given: Histories of the users of ``test``, if a rule holds out users
            (who have no training ratings); else None.
        valid_given: The same for the users of ``valid``.
    """

    train: Ratings
    valid: Ratings | None
    test: Ratings
    given: Ratings | None = None
    valid_given: Ratings | None = None

    def named(self) -> dict[str, Ratings]:
        """Return the existing parts by name."""
        return {name: part for name, part in self._asdict().items() if part is not None}


class FoldIn(NamedTuple):
    """A user hold-out: the users of ``given`` and ``scored`` are not part of ``train``."""

    train: Ratings
    given: Ratings
    scored: Ratings


def split_parts(
    ratings: RatingsLike,
    by: str = "random",
    holdout: float = 0.2,
    valid: float = 0.0,
    seed: int = 0,
    *,
    given: float = 0.8,
    at: tuple[Moment, ...] = (),
    latest: bool = False,
) -> SplitParts:
    """Split ratings by any rule.

    Args:
        ratings: The ratings to split, or what ``load`` takes.
        by: Name of a rule in ``RULES``.
        holdout: As in ``split``; with ``people``, a share or a number of people.
        valid: Size of the validation part, in the same terms; 0 for none.
        seed: Seed of the random choices. The test part does not depend on ``valid``.
        given: With ``people``: the share of each held-out user's ratings used as history;
            at least one is given and at least one held out.
        at: Times at which to cut, instead of shares.
        latest: With ``people``: whether the latest ratings of each user are held out, rather than
            random ones.

    Raises:
        UsageError: No such rule, or invalid options.
        DataError: The rule needs times and they are missing, or a part would be empty.
    """
    ratings = as_ratings(ratings)
    rule = rule_of(by)
    if at and not rule.cuts:
        able = " or ".join(f"by={each.name!r}" for each in RULES.values() if each.cuts)
        raise UsageError(f"a split by {by!r} does not use moments; at works with {able}")
    part = rule.assign(ratings, Division(holdout, valid, seed, at, given, latest))
    people = rule.holds_out_people
    middle = bool(valid) or len(at) > 1
    return SplitParts(
        train=_checked(ratings, part, TRAIN, "train"),
        valid=_checked(ratings, part, VALID, "validation") if middle else None,
        test=_checked(ratings, part, TEST, "test"),
        given=_checked(ratings, part, GIVEN, "given") if people else None,
        valid_given=_checked(ratings, part, VALID_GIVEN, "given") if people and middle else None,
    )


def split(
    ratings: RatingsLike,
    holdout: float = 0.2,
    seed: int = 0,
    by: str = "random",
    *,
    at: Moment | None = None,
) -> tuple[Ratings, Ratings]:
    """Split ratings into a training part and a held-out part.

    - ``random``: ratings at random, over all users. Some users and items may be left without a
      training rating.
    - ``user``: random ratings of each user.
    - ``last``: the latest ratings of each user.
    - ``time``: the latest ratings overall: a share of exactly that size, or those from a time
      on (``at``).

    ``RULES`` has these and more. Rules that hold out users have more than two parts: see
    ``split_parts``.

    If ``last`` or a share by ``time`` must choose among ratings of the same second (MovieLens has
    many), the choice is random, by the seed: the order of the table would favour some items. A cut
    ``at`` a time never divides a second.

    With ``user`` and ``last`` each user keeps a training rating: a user with one rating has none
    held out, and a user with no more than the number to hold out keeps one. A share is rounded for
    each user, half upwards.

    Args:
        ratings: The ratings to split, or what ``load`` takes.
        holdout: A share, between 0 and 1, or a whole number of ratings: in all for ``random`` and
            ``time``, of each user for ``user`` and ``last``.
        seed: Seed of the random choices.
        by: The rule, a name in ``RULES``.
        at: For ``time``: the time at which to cut instead of a share; ratings from then on are held
            out.

    Raises:
        UsageError: No such rule, or an invalid hold-out.
        DataError: The rule needs times and they are missing, or a part would be empty.
    """
    ratings = as_ratings(ratings)
    parts = _parts_of_ratings(ratings, by, holdout, 0.0, seed, () if at is None else (at,))
    return parts.train, parts.test


def split_three(
    ratings: RatingsLike,
    holdout: float = 0.1,
    valid: float = 0.1,
    seed: int = 0,
    by: str = "random",
    *,
    at: tuple[Moment, Moment] | None = None,
) -> tuple[Ratings, Ratings, Ratings]:
    """Split ratings into a training, a validation and a test part.

    Args:
        ratings: The ratings to split, or what ``load`` takes.
        holdout: Size of the test part, as in ``split``.
        valid: Size of the validation part, in the same terms: a share of all ratings (or of all of
            a user's), not of those outside the test part. It precedes the test part in time with
            ``last`` and ``time``.
        seed: As in ``split``, which has the same test part.
        by: As in ``split``.
        at: For ``time``: the times at which the second and the third part begin.

    Raises:
        UsageError: No such rule, or an invalid hold-out.
        DataError: The rule needs times and they are missing, or a part would be empty.
    """
    ratings = as_ratings(ratings)
    parts = _parts_of_ratings(ratings, by, holdout, valid, seed, at or ())
    if parts.valid is None:
        raise DataError(f"{ratings.name}: this split leaves the validation part empty")
    return parts.train, parts.valid, parts.test


def split_users(
    ratings: RatingsLike,
    holdout: float = 0.2,
    seed: int = 0,
    *,
    given: float = 0.8,
    by: Literal["user", "last"] = "user",
) -> FoldIn:
    """Hold out whole users, to evaluate fold-in of new users.

    Some ratings of each held-out user are the history and the rest are scored. Users with
    one rating cannot be divided and stay in the training part.

    Args:
        ratings: The ratings to split, or what ``load`` takes.
        holdout: A share of the users, or a whole number of them, drawn at random.
        seed: Seed of the draw.
        given: The share of each held-out user's ratings used as history; at least one is
            given and at least one scored.
        by: Which ratings are scored: some at random (``user``) or the latest (``last``).

    Returns:
        The training ratings of all other users, and the histories and scored ratings of these.

    Raises:
        UsageError: An invalid share.
        DataError: Too few users have two ratings, or times are missing.
    """
    ratings = as_ratings(ratings)
    parts = split_parts(ratings, "people", holdout, seed=seed, given=given, latest=by == "last")
    assert parts.given is not None
    return FoldIn(parts.train, parts.given, parts.test)


def kfold(ratings: RatingsLike, k: int = 5, seed: int = 0) -> Iterator[tuple[Ratings, Ratings]]:
    """Split ratings at random into ``k`` folds, and yield each as the test part.

    Args:
        ratings: The ratings to split, or what ``load`` takes.
        k: Number of folds, 2 or more; their sizes differ by at most one.
        seed: Seed of the draw.

    Yields:
        All ratings except one fold, and that fold.

    Raises:
        UsageError: ``k`` is less than 2.
        DataError: There are fewer ratings than folds.
    """
    ratings = as_ratings(ratings)
    fold = fold_of(ratings, k, seed)
    return ((ratings.take(fold != at), ratings.take(fold == at)) for at in range(k))


def fold_of(ratings: Ratings, k: int, seed: int) -> Int32:
    """Return the fold of each rating, int32 in ``0 .. k-1``, shape (n,)."""
    if k < 2:
        raise UsageError(f"k = {k}: a k-fold split needs 2 folds or more")
    if k > len(ratings):
        raise DataError(f"{ratings.name}: {len(ratings):,} ratings are too few for {k} folds")
    fold = np.empty(len(ratings), dtype=np.int32)
    fold[shuffled(len(ratings), np.random.default_rng(checked_seed(seed)))] = (
        np.arange(len(ratings), dtype=np.int64) * k // len(ratings)
    )
    return fold


def _parts_of_ratings(
    ratings: Ratings, by: str, holdout: float, valid: float, seed: int, at: tuple[Moment, ...]
) -> SplitParts:
    """Split by a rule without histories of test users."""
    if rule_of(by).holds_out_people:
        raise UsageError(
            f"a split by {by!r} gives the model some ratings of the held-out people: split_parts "
            "has that part too"
        )
    return split_parts(ratings, by, holdout, valid, seed, at=at)


def _checked(ratings: Ratings, part: Int8, which: int, name: str) -> Ratings:
    checked = ratings.take(part == which)
    if not len(checked):
        raise DataError(
            f"{ratings.name}: this split leaves the {name} part empty; choose another size, time "
            "or rule (a size of 1 is one rating in all; by 'user', 'last' and 'item' it is one "
            "rating of each user or item that has two)"
        )
    return checked
