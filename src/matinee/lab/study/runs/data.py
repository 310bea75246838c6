"""The ratings a run trains on and is scored by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ....data import (
    CATALOGUE,
    Ratings,
    TableOptions,
    fingerprint,
    load,
    locate,
    named_split,
    split_parts,
)
from ....data.splits.named import is_named_split
from ....data.splits.rules import rule_of
from ....data.splits.windows import seen
from ....errors import DataError, UsageError
from ....synth import SynthConfig, synthesize
from ..study import Data

_HELD = 12_000_000
"""Largest number of prepared ratings that a process caches for later runs."""


@dataclass(frozen=True)
class Prepared:
    """Data that is ready.

    Attributes:
        train: Ratings to train on.
        test: Held-out ratings to score.
        given: Histories of the users of ``test``, if none of them is in
            ``train``; else None.
        floor: Lowest reachable RMSE on ``test``, if known (synthetic data).
        dropped: Held-out ratings that are not in ``test``, for want of a training rating of their
            user or item; None if such ratings are scored.
    """

    train: Ratings
    test: Ratings
    given: Ratings | None = None
    floor: float | None = None
    dropped: int | None = None


def describe_data(data: Data, seed: int, users: float = 1.0) -> dict[str, Any]:
    """Return everything that determines the data as plain values, for ``prepare``.

    ``users`` is the share of the users that a cut version keeps.

    Raises:
        UsageError: Options that do not go together.
        DataError: The source cannot be read.
    """
    label = f"data {data.name}"
    if bool(data.source) == bool(data.synthetic):
        raise UsageError(f"{label}: name a source, or give options of a synthetic world")
    if data.synthetic:
        world = SynthConfig.make(data.synthetic, label)
        source: dict[str, Any] = {"synthetic": world.model_dump(mode="json")}
    else:
        name = _named(data.source, data.holdout, label, data.read)
        source = {"source": data.source, "fingerprint": name}
        if data.read != TableOptions():
            source["read"] = data.read.model_dump(mode="json", exclude_unset=True)
    if data.synthetic and not data.holdout:
        raise UsageError(f"{label}: synthetic data needs a holdout")
    # Options at their defaults are left out, so that the keys of runs on other data stay the same.
    stated = {name: True for name in ("seen_only", "time_offset") if getattr(data, name)}
    steps = {"relevant": data.relevant, "k_core": data.k_core}
    steps = {name: value for name, value in steps.items() if value is not None}
    if data.k_core is not None and not data.holdout:
        raise UsageError(f"{label}: {data.source} is a split already; leave out k_core")
    people = bool(data.holdout) and rule_of(data.by).holds_out_people
    given_option = {"given": data.given} if people else {}
    return {
        **source,
        **stated,
        "holdout": data.holdout,
        "by": data.by if data.holdout else "",
        "validation": data.validation,
        "split_seed": seed if data.resplit else 0,
        "users": round(data.users * users, 9),
        "ratings": data.ratings,
        **given_option,
        **steps,
    }


class DataCache:
    """Prepared data that a process keeps, so that runs on the same data read it once."""

    def __init__(self) -> None:
        self._kept: dict[str, Prepared] = {}

    def get(self, description: dict[str, Any]) -> Prepared:
        """Return the data of a description, made if it is not there."""
        name = repr(sorted(description.items()))
        prepared = self._kept.pop(name, None) or prepare(description)
        self._kept[name] = prepared  # the most recently used is evicted last
        while len(self._kept) > 1 and self._size() > _HELD:
            self._kept.pop(next(iter(self._kept)))
        return prepared

    def _size(self) -> int:
        return sum(len(data.train) + len(data.test) for data in self._kept.values())


def prepare(description: dict[str, Any]) -> Prepared:
    """Make the data of a description.

    Raises:
        DataError: The source cannot be read, has changed, or no ratings are left.
    """
    synthetic = description.get("synthetic")
    world, given_part = None, None
    if synthetic:
        options = dict(synthetic)
        shape = [options.pop(name) for name in ("users", "items", "ratings")]
        world = synthesize(*shape, **options)
        train, test, given_part = _divide(_chosen(world.ratings, description), description)
    else:
        parts = described_parts(description)
        now = _fingerprint(parts)
        if now != description["fingerprint"]:
            raise DataError(
                f"{description['source']}: its ratings changed since the study was planned; run it "
                "again"
            )
        if description["holdout"]:
            train, test, given_part = _divide(_chosen(parts[0], description), description)
        else:
            train, test = (_chosen(part, description) for part in parts)
    rng = np.random.default_rng([description["split_seed"], 1])
    train, test, given_part = _some_users(train, test, given_part, description["users"], rng)
    train = _some_ratings(train, description["ratings"], rng)
    dropped = None
    if description.get("seen_only"):
        everything = len(test)
        test = _seen(train, test, given_part)
        dropped = everything - len(test)
    if not len(train) or not len(test):
        which = f"; of {dropped:,} no user and item are in training" if dropped else ""
        raise DataError(
            f"{train.name}: too small a share; no ratings are left to train or score{which}"
        )
    # For the original ratings: not for interactions, nor a core with other codes.
    unfiltered = "relevant" not in description and "k_core" not in description
    floor = world.floor_of(test) if world and unfiltered else None
    return Prepared(train, test, given_part, floor, dropped)


@lru_cache(maxsize=64)
def _named(source: str, holdout: float, label: str, read: TableOptions) -> str:
    """Return the fingerprint of a source, which needs a hold-out unless it is a split."""
    require_source(source, label)
    is_split = is_named_split(source)
    if is_split and holdout:
        raise UsageError(f"{label}: {source} is a split already; leave out holdout")
    if not is_split and not holdout:
        raise UsageError(f"{label}: {source} is not a split; set holdout")
    if is_split and read != TableOptions():
        raise UsageError(f"{label}: {source} is a split, which is read as it is; leave out read")
    return _fingerprint(source_parts(source, holdout, read))


def on_this_machine(data: Data) -> bool:
    """Return whether the ratings of a study's data can be read here, or made."""
    return bool(data.synthetic) or _is_here(data.source)


def require_source(source: str, label: str) -> None:
    """Check that a source is on this machine.

    Raises:
        DataError: It is not; the message begins with the label and states how to get it.
    """
    name = source.partition("/")[0]
    if not _is_here(source):
        get = f"`matinee data get {name}`" if name in CATALOGUE else "`matinee data add NAME PATH`"
        raise DataError(
            f"{label}: {source} is not on this machine; {get} brings it, or set MATINEE_DATA to "
            "the folder that has it"
        )


def _is_here(source: str) -> bool:
    name = source.partition("/")[0]
    return bool(Path(source).exists() or locate(source) or locate(name))


@lru_cache(maxsize=2)
def source_parts(source: str, holdout: float, read: TableOptions) -> tuple[Ratings, ...]:
    """Return a source's ratings, or the two parts of a split; the last ones read are kept."""
    return (load(source, **read.stated()),) if holdout else named_split(source)


def described_parts(description: dict[str, Any]) -> tuple[Ratings, ...]:
    """``source_parts`` of a description that names a source."""
    read = TableOptions.make(description.get("read", {}), "read")
    return source_parts(description["source"], description["holdout"], read)


def _fingerprint(parts: tuple[Ratings, ...]) -> str:
    return "-".join(fingerprint(part) for part in parts)


def _chosen(ratings: Ratings, description: dict[str, Any]) -> Ratings:
    """Apply the data section's steps to the ratings."""
    if (relevant := description.get("relevant")) is not None:
        ratings = ratings.liked(relevant)
    return ratings if (k := description.get("k_core")) is None else ratings.k_core(k)


def _divide(
    ratings: Ratings, description: dict[str, Any]
) -> tuple[Ratings, Ratings, Ratings | None]:
    """Return training part, test part, and the histories of the test users."""
    seed, by, share = description["split_seed"], description["by"], description["holdout"]
    given_share = description.get("given", 0.8)
    parts = split_parts(ratings, by, share, description["validation"], seed, given=given_share)
    return parts.train, parts.test, parts.given


def _some_users(
    train: Ratings,
    test: Ratings,
    given_part: Ratings | None,
    share: float,
    rng: np.random.Generator,
) -> tuple[Ratings, Ratings, Ratings | None]:
    """Draw a share of the users; smaller shares are nested in larger ones."""
    rank = rng.permutation(train.n_users)
    if share >= 1.0:
        return train, test, given_part
    selected = rank < max(2, round(share * train.n_users))
    return (
        train.take(selected[train.users]),
        replace(
            test.take(selected[test.users]), name=f"{test.name}, {100 * share:g}% of the users"
        ),
        None if given_part is None else given_part.take(selected[given_part.users]),
    )


def _some_ratings(train: Ratings, share: float, rng: np.random.Generator) -> Ratings:
    """Draw a share of the ratings, nested likewise, with at least one per user."""
    draws = rng.random(len(train))
    if share >= 1.0:
        return train
    selected = draws < share
    order = np.lexsort((draws, train.users))
    first = np.flatnonzero(np.diff(train.users[order], prepend=-1))
    selected[order[first]] = True
    return train.take(selected)


def _seen(train: Ratings, test: Ratings, given_part: Ratings | None) -> Ratings:
    """Return the held-out ratings of known items by users with ratings or a history."""
    users, items = seen(train)
    if given_part is not None:
        users |= seen(given_part)[0]
    return test.take(users[test.users] & items[test.items])
