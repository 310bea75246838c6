"""The rules of splits: a function each, and its entry in ``RULES``."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from ...base.arrays import Int8, Int64
from ...errors import DataError, UsageError, nearest
from ..ratings import Ratings
from .rule import (
    GIVEN,
    TEST,
    VALID,
    VALID_GIVEN,
    Division,
    SplitRule,
    earliest,
    from_the_end,
    held_out_of_each,
    in_time,
    number_of,
    seconds,
    shuffled,
    times_of,
)


def _random(ratings: Ratings, division: Division) -> Int8:
    n = len(ratings)
    n_test, n_middle = _sizes(n, division)
    part = np.zeros(n, dtype=np.int8)
    order = shuffled(n, np.random.default_rng(division.seed))
    part[order[n - n_test :]] = TEST
    part[order[n - n_test - n_middle : n - n_test]] = VALID
    return part


def _user(ratings: Ratings, division: Division) -> Int8:
    order = shuffled(len(ratings), np.random.default_rng(division.seed))
    return held_out_of_each(ratings.users, ratings.n_users, order, division)


def _item(ratings: Ratings, division: Division) -> Int8:
    order = shuffled(len(ratings), np.random.default_rng(division.seed))
    return held_out_of_each(ratings.items, ratings.n_items, order, division)


def _last(ratings: Ratings, division: Division) -> Int8:
    order = in_time(ratings, np.random.default_rng(division.seed))
    return held_out_of_each(ratings.users, ratings.n_users, order, division)


def _time(ratings: Ratings, division: Division) -> Int8:
    times, n = times_of(ratings), len(ratings)
    part = np.zeros(n, dtype=np.int8)
    if division.at:
        cuts = [seconds(moment) for moment in division.at]
        if cuts != sorted(cuts):
            raise UsageError(f"at = {division.at!r}: the parts must begin one after the other")
        part[times >= cuts[0]] = VALID
        part[times >= cuts[-1]] = TEST
        return part
    n_test, n_middle = _sizes(n, division)
    if times.min() == times.max():
        raise DataError(f"{ratings.name}: every rating has the same time; nothing to split by")
    if n_middle:
        part[~earliest(times, n - n_test - n_middle, division.seed)] = VALID
    part[~earliest(times, n - n_test, division.seed)] = TEST
    return part


def _people(ratings: Ratings, division: Division) -> Int8:
    """Strong generalisation (Marlin, "Collaborative filtering", 2004): whole users are held out.

    People with one rating cannot be divided and always train.
    """
    share = division.given
    if not 0 < share < 1:
        raise UsageError(f"given = {share:g}: a share lies between 0 and 1")
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    eligible, everyone = np.flatnonzero(counts >= 2), int(np.count_nonzero(counts))
    n_test = number_of("holdout", division.holdout, everyone)
    middle = number_of("valid", division.valid, everyone) if division.valid else 0
    if not 0 < n_test <= len(eligible) - middle or n_test + middle == everyone:
        raise DataError(
            f"{ratings.name}: cannot hold out {n_test + middle:,} users: of {everyone:,}, "
            f"{len(eligible):,} have two ratings or more, and someone must be left to train on"
        )
    rng = np.random.default_rng(division.seed)
    test = rng.choice(eligible, size=n_test, replace=False)
    n_scored = np.clip(np.floor(counts * (1 - share) + 0.5).astype(np.int64), 1, counts - 1)
    part = np.zeros(len(ratings), dtype=np.int8)

    def divide(people: Int64, held: int, seen: int) -> None:
        chosen = np.zeros(ratings.n_users, dtype=bool)
        chosen[people] = True
        rows = np.flatnonzero(chosen[ratings.users])
        held_ratings = ratings.take(rows)
        sequence = (
            in_time(held_ratings, rng) if division.latest else shuffled(len(held_ratings), rng)
        )
        each = np.bincount(held_ratings.users, minlength=ratings.n_users)
        label = from_the_end(held_ratings.users, each, sequence, n_scored, np.zeros_like(n_scored))
        part[rows] = np.where(label == TEST, held, seen)

    divide(test, TEST, GIVEN)
    if middle:
        divide(rng.choice(np.setdiff1d(eligible, test), middle, replace=False), VALID, VALID_GIVEN)
    return part


def _sizes(n: int, division: Division) -> tuple[int, int]:
    """Number of test and of validation ratings among ``n``."""
    holdout, valid = division.holdout, division.valid
    n_test = number_of("holdout", holdout, n)
    n_middle = number_of("valid", valid, n) if valid else 0
    if n_test + n_middle >= n:
        raise UsageError(
            f"holdout = {holdout:g}{f' and valid = {valid:g}' if valid else ''} of {n:,} ratings "
            "leave none to train on"
        )
    return n_test, n_middle


RULES: MappingProxyType[str, SplitRule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            SplitRule("random", _random, "at random", "{} of the ratings, drawn at random"),
            SplitRule(
                "user",
                _user,
                "of each user at random",
                "{} of each user's ratings, drawn at random",
            ),
            SplitRule(
                "last",
                _last,
                "the latest of each user",
                "the latest {} of each user's ratings",
            ),
            SplitRule(
                "time",
                _time,
                "the latest of all",
                "the latest {} of all ratings",
                cuts=True,
            ),
            SplitRule(
                "item",
                _item,
                "of each item at random",
                "{} of each item's ratings, drawn at random",
            ),
            SplitRule(
                "people",
                _people,
                "whole people, with a share of their ratings given",
                "some ratings of {} of the people, the others of whom are given",
                holds_out_people=True,
            ),
        )
    }
)
"""Every rule by name: the first is the default. Command line, studies, leaderboard and docs read
it, so an entry is all that a new rule needs."""

_FORMER = {"users": "people"}
"""Names that a rule once had."""


def rule_of(name: str) -> SplitRule:
    """Return the rule with this name.

    Raises:
        UsageError: No such rule; the message suggests the nearest.
    """
    rule = RULES.get(_FORMER.get(name, name))
    if rule is None:
        raise UsageError(
            f"no split by {name!r}{nearest(str(name), RULES)} (there are {', '.join(RULES)})"
        )
    return rule


def choices() -> str:
    """List the rules and what each holds out, as a sentence for help texts."""
    each = [f"{rule.name} ({rule.summary})" for rule in RULES.values()]
    return f"{', '.join(each[:-1])} or {each[-1]}"
