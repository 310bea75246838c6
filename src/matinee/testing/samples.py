"""Small synthetic ratings for tests of models, and helpers to compare predictions."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..base.arrays import Array
from ..data import ItemTable, Ratings, Scale, SideColumns, Table


@lru_cache
def sample() -> Ratings:
    """900 half-star ratings by 60 users (ids 100 to 159) of 40 items with text ids and titles.

    The users have an age and a language, the items genres.
    """
    rng = np.random.default_rng(5)
    pairs = rng.choice(60 * 40, 900, replace=False)
    users, items = pairs // 40, pairs % 40
    user_factors, item_factors = rng.normal(0, 1, (60, 3)), rng.normal(0, 1, (40, 3))
    raw = 3 + (user_factors[users] * item_factors[items]).sum(1) / 2 + rng.normal(0, 0.5, 900)
    values = np.clip(np.rint(raw * 2) / 2, 0.5, 5)
    base = Ratings.from_arrays(
        users + 100, [f"item-{i:02}" for i in items], values, scale=Scale(0.5, 5), name="sample"
    )
    titles = np.array([f"Title of {name}" for name in base.item_ids.ids], dtype=object)
    genres = np.fromiter((("Drama", "War")[: i % 3] for i in range(base.n_items)), dtype=object)
    ages = np.where(np.arange(base.n_users) % 7, 20.0 + np.arange(base.n_users), np.nan)
    languages = np.array(["", "Danish", "Thai"], dtype=object)[np.arange(base.n_users) % 3]
    return replace(
        base,
        item_table=ItemTable(titles, genres),
        notes=("a note",),
        user_columns=SideColumns({"age": ages, "language": languages}),
    )


@lru_cache
def checkerboard() -> Ratings:
    """Half of the ratings of 120 users and 40 items: 4 or 5 if parities match, else 1 or 2."""
    rng = np.random.default_rng(3)
    users, items = np.divmod(np.arange(120 * 40), 40)
    kept = rng.permutation(len(users))[: len(users) // 2]
    users, items = users[kept], items[kept]
    like = (users + items) % 2 == 0
    return Ratings.from_arrays(users, items, np.where(like, 4, 1) + rng.integers(0, 2, len(kept)))


def all_pairs(ratings: Ratings) -> tuple[Array, Array]:
    """The ids of every pair of a known user and a known item: users and items, each (pairs,)."""
    users, items = np.divmod(np.arange(ratings.n_users * ratings.n_items), ratings.n_items)
    return ratings.user_ids.decode(users), ratings.item_ids.decode(items)


def histories_by_user(ratings: Ratings) -> dict[Any, dict[Any, float]]:
    """Return the ratings of each user, as {user id: {item id: rating}}."""
    histories: dict[Any, dict[Any, float]] = {}
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    for user, item, value in zip(users, items, ratings.values.tolist(), strict=True):
        histories.setdefault(user, {})[item] = value
    return histories


def same_rows(one: Table, other: Table) -> bool:
    """Whether two tables have the same columns and rows; floating-point columns within 1e-5."""
    return list(one.columns) == list(other.columns) and all(
        np.allclose(one[n], other[n], atol=1e-5)
        if one[n].dtype.kind == "f"
        else one[n].tolist() == other[n].tolist()
        for n in one.columns
    )
