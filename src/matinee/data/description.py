"""Description of a table of ratings, and the resources that training needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..base.arrays import Float32, Int64
from ..base.widths import within
from ..errors import DataError
from .coerce import RatingsLike, as_ratings
from .ratings import Ratings
from .repeats import repeated_in

HIDDEN, MAX_TABLE, TEACHERS = (600,), 100_000_000, 2
"""Options of the preset ``default``, which a description must not import."""
_MANY = 20
"""So many rows, and more, have a user or an item in common in a table of ratings."""
_BARS = 20


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of a count over users or items."""

    low: int
    p25: float
    median: float
    p75: float
    p95: float
    high: int
    mean: float


@dataclass(frozen=True)
class Bar:
    """One bar of the rating histogram: ratings from ``low`` to ``high``.

    The two are equal if each bar is one rating. Otherwise ``high`` itself is in the next bar,
    except for the last.
    """

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Description:
    """The result of ``describe``.

    Attributes:
        name: Name of the ratings.
        users: Number of users with a rating.
        items: Number of items with a rating.
        ratings: Number of ratings.
        density: ``ratings / (users x items)``.
        low: Lowest possible rating: as stated, or as in the data.
        high: Highest possible rating.
        mean: Mean rating.
        std: Standard deviation of the ratings (population).
        histogram: Bars in ascending order: one per rating if there are at most 20
            different ones, else 20 of equal width.
        per_user: Ratings per user.
        per_item: Ratings per item.
        first: Earliest time, seconds since 1970-01-01 UTC, or None without times.
        last: Latest time.
        repeated: Repeated ratings of an item by a user in the source; how they were
            resolved is in ``notes``.
        titles: Number of items with a title.
        training_mib: Memory of training by ``training_mib`` with its defaults.
        notes: Notes of reading the table, such as on repeated ratings.
        implicit: Whether these are interactions, the "ratings" above their weights.
    """

    name: str
    users: int
    items: int
    ratings: int
    density: float
    low: float
    high: float
    mean: float
    std: float
    histogram: tuple[Bar, ...]
    per_user: Quantiles
    per_item: Quantiles
    first: int | None
    last: int | None
    repeated: int
    titles: int
    training_mib: float
    notes: tuple[str, ...]
    implicit: bool = False

    @property
    def period(self) -> tuple[str, str] | None:
        """First and last time in ISO 8601, UTC; None without times."""
        if self.first is None or self.last is None:
            return None
        return iso_time(self.first), iso_time(self.last)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times are ISO 8601."""
        values = asdict(self)
        values["first"], values["last"] = self.period or (None, None)
        return values


def describe(ratings: RatingsLike) -> Description:
    """Describe a table of ratings, or what ``load`` takes.

    Raises:
        DataError: There are no ratings.
    """
    ratings = as_ratings(ratings)
    if not len(ratings):
        raise DataError(f"{ratings.name}: there are no ratings to describe")
    per_user = np.bincount(ratings.users)
    per_item = np.bincount(ratings.items)
    per_user, per_item = per_user[per_user > 0], per_item[per_item > 0]
    n, users, items = len(ratings), len(per_user), len(per_item)
    table = ratings.item_table
    names = [str(name) for name in ratings.item_ids.ids]
    return Description(
        name=ratings.name,
        users=users,
        items=items,
        ratings=n,
        density=n / (users * items),
        low=ratings.scale.low,
        high=ratings.scale.high,
        mean=float(ratings.values.mean(dtype=np.float64)),
        std=float(ratings.values.std(dtype=np.float64)),
        histogram=_histogram(ratings.values),
        per_user=_quantiles(per_user),
        per_item=_quantiles(per_item),
        first=None if ratings.times is None else int(ratings.times.min()),
        last=None if ratings.times is None else int(ratings.times.max()),
        repeated=repeated_in(ratings.notes),
        titles=0
        if table is None
        else sum(title != name for title, name in zip(table.titles, names, strict=True)),
        training_mib=training_mib(
            n, items, users=users, bytes_per_rating=20 if ratings.times is not None else 12
        ),
        notes=(*ratings.notes, *single_row_notes(ratings)),
        implicit=ratings.implicit,
    )


def single_row_notes(ratings: Ratings) -> list[str]:
    """Note that each user or each item has one rating, as if the column numbered the rows.

    Training ratings never have that; held-out parts of one rating per user do.
    """
    n, users, items = len(ratings), ratings.n_users, ratings.n_items
    sides = ("user", ratings.users, users), ("item", ratings.items, items)
    return [
        f"each of the {n:,} rows has its own {side}: nothing can be learned about {side}s of a "
        f"single row; if the column is another, such as a number of the rows, state the one of the "
        f"{side}s with --{side} COL"
        for side, codes, size in sides
        if size >= n >= _MANY and len(np.unique(codes)) == n
    ]


def training_mib(ratings: int, items: int, *, users: int = 0, bytes_per_rating: int = 12) -> float:
    """Estimate an upper bound of the memory of training the preset ``default``, in MiB.

    Four times the bytes of the ratings (the table, its grouping by user and the working set of an
    epoch), and for every parameter, in float32, itself, its best value and Adam's two numbers.
    Imported libraries are not included.

    Args:
        ratings: Number of training ratings.
        items: Number of items: the width of the first and last layer.
        users: Number of users: the width of the teachers' first and last layers; 0 to leave the
            teachers out.
        bytes_per_rating: 12 for user, item and rating; 20 with a time.
    """
    parameters = 0
    for columns, networks in ((items, 1), (users, TEACHERS)):
        if columns:
            table_rows = 2 * columns  # presence inputs
            sizes = [table_rows, *within(HIDDEN, MAX_TABLE, columns, table_rows), columns]
            parameters += networks * sum(a * b + b for a, b in pairwise(sizes))
    return (4 * ratings * bytes_per_rating + 4 * 4 * parameters) / 2**20


def iso_time(seconds: int) -> str:
    """Format a time of any size in ISO 8601, UTC."""
    return f"{np.datetime64(seconds, 's')}Z"


def _quantiles(counts: Int64) -> Quantiles:
    p25, median, p75, p95 = (float(q) for q in np.quantile(counts, [0.25, 0.5, 0.75, 0.95]))
    return Quantiles(
        int(counts.min()), p25, median, p75, p95, int(counts.max()), float(counts.mean())
    )


def _histogram(values: Float32) -> tuple[Bar, ...]:
    # Guess the distinct values from the first ones and count each: no sort of them all.
    distinct = np.unique(values[:100_000])
    if len(distinct) <= _BARS:
        each = [int(np.count_nonzero(values == value)) for value in distinct]
        if sum(each) < len(values):
            distinct, occurrences = np.unique(values, return_counts=True)
            each = occurrences.tolist()
        if len(distinct) <= _BARS:
            return tuple(
                Bar(float(value), float(value), count)
                for value, count in zip(distinct, each, strict=True)
            )
    counts, edges = np.histogram(values.astype(np.float64), bins=_BARS)
    return tuple(
        Bar(float(low), float(high), int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )
