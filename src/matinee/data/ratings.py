"""``Ratings``: the table of ratings used throughout Matinee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Int32, Int64, Mask
from ..base.html import paragraphs, table
from ..base.memory import count_codes, large_multiplied, large_take
from ..errors import DataError, UsageError
from ._group import Csr, group
from .side.columns import SideColumns
from .side.items import ItemTable
from .vocabulary import Ids, Vocabulary

_HEAD = 5
"""Number of rows shown in a notebook."""


@dataclass(frozen=True)
class Scale:
    """The range of ratings: stated by the user, or the range in the data."""

    low: float
    high: float

    def holds(self, values: npt.ArrayLike) -> Mask:
        """Return which ratings are in range, in float32 as ratings are stored, of their shape."""
        with np.errstate(over="ignore"):
            low, high, rounded = (
                np.asarray(each).astype(np.float32, copy=False)
                for each in (self.low, self.high, values)
            )
        return np.asarray((rounded >= low) & (rounded <= high))


def as_scale(scale: Scale | tuple[float, float] | None) -> Scale | None:
    """Convert a scale, or its two ends, to a ``Scale``.

    Raises:
        UsageError: The scale is invalid or empty.
    """
    if scale is None:
        return None
    try:
        low, high = (scale.low, scale.high) if isinstance(scale, Scale) else map(float, scale)
    except (TypeError, ValueError):
        raise UsageError(f"scale {scale!r}: give the lowest and the highest rating") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UsageError(f"scale {low:g} to {high:g}: the lowest must be below the highest")
    return Scale(low, high)


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings as parallel arrays: user, item, value and time.

    A (user, item) pair occurs at most once: repeated ratings are merged when a table is read. A
    missing rating has no entry, so 0 is a rating.

    Attributes:
        users: int32 user codes, shape (n,).
        items: int32 item codes, shape (n,).
        values: float32 ratings, shape (n,), finite.
        times: int64 seconds since 1970-01-01 UTC, shape (n,), or None if unknown.
        user_ids: The users' external ids. There may be codes of users without ratings (after a
            split, both parts share one vocabulary); ``compact`` drops them.
        item_ids: The items' external ids.
        scale: The range of the ratings: as stated, or as in the data (for a part of a split,
            in all parts). A model takes a scale that was not stated from its training part.
        item_table: Titles and genres, aligned with ``item_ids``, or None.
        user_columns: Side columns of the users, aligned with ``user_ids``, or None.
        name: Name of the source, for reports ("ml-1m", a file name).
        notes: What was changed while reading, one sentence each ("12 repeated ratings: ...").
        implicit: Whether these are interactions (clicks, plays, purchases) rather than ratings:
            ``values`` are then weights or counts above 0, all 1 if unknown, and say
            nothing about how much a user liked an item.
        scale_stated: Whether the scale was stated by the user.
        weights: float32, shape (n,), above 0: the weight of each rating or interaction in
            training, relative to the others; None for equal weights.
    """

    users: Int32
    items: Int32
    values: Float32
    times: Int64 | None
    user_ids: Vocabulary
    item_ids: Vocabulary
    scale: Scale
    item_table: ItemTable | None = None
    name: str = "ratings"
    notes: tuple[str, ...] = field(default=())
    implicit: bool = False
    scale_stated: bool = False
    weights: Float32 | None = None
    user_columns: SideColumns | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        users, items = self.sides
        if self.implicit:
            return (
                f"Ratings({self.name!r}: {len(self):,} interactions of {users:,} users "
                f"with {items:,} items)"
            )
        return (
            f"Ratings({self.name!r}: {len(self):,} ratings by {users:,} users "
            f"of {items:,} items, {self.scale.low:g} to {self.scale.high:g})"
        )

    def _repr_html_(self) -> str:
        """Return the sizes and the first rows, for notebooks."""
        users, items = self.sides
        facts = [
            ("interactions" if self.implicit else "ratings", f"{len(self):,}"),
            ("users", f"{users:,}"),
            ("items", f"{items:,}"),
            ("known cells", f"{len(self) / max(users * items, 1):.2%}"),
        ]
        if not self.implicit:
            facts.append(("scale", f"{self.scale.low:g} to {self.scale.high:g}"))
        if self.times is not None and len(self.times):
            days = (self.times // 86_400).astype("datetime64[D]")
            facts.append(("time", f"{days.min()} to {days.max()}"))
        first = zip(self.users[:_HEAD], self.items[:_HEAD], self.values[:_HEAD], strict=True)
        user_ids, item_ids = self.user_ids.ids, self.item_ids.ids
        rows = [[user_ids[user], item_ids[item], f"{value:g}"] for user, item, value in first]
        heads = ["user", "item", "weight" if self.implicit else "rating"]
        if self.item_table is not None:
            heads.append("title")
            for row, title in zip(rows, self.item_table.titles[self.items[:_HEAD]], strict=True):
                row.append(title)
        return (
            table(["", ""], facts, numbers=[1], caption=self.name)
            + table(heads, rows, numbers=[2], caption=f"The first {len(rows)}")
            + paragraphs(self.notes)
        )

    @property
    def n_users(self) -> int:
        """Number of user codes."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of item codes."""
        return len(self.item_ids)

    @property
    def sides(self) -> tuple[int, int]:
        """Number of users and of items with a rating, perhaps fewer than codes."""
        codes = ((self.users, self.n_users), (self.items, self.n_items))
        users, items = (int(np.count_nonzero(count_codes(*side))) for side in codes)
        return users, items

    def take(self, rows: Int64 | Mask | Sequence[int] | slice) -> Ratings:
        """Select ratings (positions, a slice or a mask), with the same vocabularies.

        Raises:
            IndexError: A position that does not exist, or a mask of another length.
        """
        if isinstance(rows, slice):
            rows = range(len(self))[rows]
        rows = np.asarray(rows, None if len(rows) else np.int64)
        return replace(
            self,
            users=large_take(self.users, rows),
            items=large_take(self.items, rows),
            values=large_take(self.values, rows),
            times=None if self.times is None else large_take(self.times, rows),
            weights=None if self.weights is None else large_take(self.weights, rows),
        )

    def with_own_scale(self) -> Ratings:
        """Return the same ratings with their own range as the scale, unless a scale was stated."""
        if self.scale_stated or not len(self):
            return self
        return replace(self, scale=_range(self.values))

    def multiplied(self, factor: float) -> Ratings:
        """Return the ratings and their scale multiplied by ``factor``, above 0, or themselves."""
        if factor == 1.0:
            return self
        out = replace(
            self,
            values=large_multiplied(self.values, factor),
            scale=Scale(factor * self.scale.low, factor * self.scale.high),
        )
        for side in ("by_user", "by_item"):
            if side in self.__dict__:  # has been grouped
                out.__dict__[side] = getattr(self, side).multiplied(factor)
        return out

    def compact(self) -> Ratings:
        """Drop the codes of users and items without ratings."""
        return self.recoded(
            count_codes(self.users, self.n_users) > 0, count_codes(self.items, self.n_items) > 0
        )

    def recoded(self, users: Mask, items: Mask) -> Ratings:
        """Drop the codes of other users and items, of which there must be no rating.

        Args:
            users: Mask of the users to keep, shape (n_users,).
            items: Mask of the items to keep, shape (n_items,).
        """
        if users.all() and items.all():
            return self
        kept_users, kept_items = np.flatnonzero(users), np.flatnonzero(items)
        return replace(
            self,
            users=large_take(np.cumsum(users, dtype=np.int32) - np.int32(1), self.users),
            items=large_take(np.cumsum(items, dtype=np.int32) - np.int32(1), self.items),
            user_ids=self.user_ids.take(kept_users),
            item_ids=self.item_ids.take(kept_items),
            item_table=self.item_table and self.item_table.take(kept_items),
            user_columns=self.user_columns and self.user_columns.take(kept_users),
        )

    def liked(self, at_least: float) -> Ratings:
        """Return ratings of at least this value as interactions of weight 1, same vocabularies.

        Raises:
            UsageError: These are already interactions.
            DataError: No rating is that high.
        """
        if self.implicit:
            raise UsageError(
                f"{self.name}: these are interactions; they have no rating to choose by"
            )
        if not isinstance(at_least, int | float | np.number) or not np.isfinite(at_least):
            raise UsageError(f"relevant = {at_least!r}: give the lowest rating that counts")
        kept = self.values >= np.float32(at_least)
        n = int(np.count_nonzero(kept))
        if not n:
            highest = f"the highest is {self.values.max():g}" if len(self) else "there are none"
            raise DataError(f"{self.name}: no rating is {at_least:g} or more; {highest}")
        message = (
            f"{n:,} ratings of {at_least:g} or more kept as interactions, {len(self) - n:,} "
            "lower ones left out"
        )
        return replace(
            self.take(kept),
            values=np.ones(n, dtype=np.float32),
            scale=Scale(1.0, 1.0),
            scale_stated=False,
            implicit=True,
            notes=(*self.notes, message),
        )

    def k_core(self, k: int) -> Ratings:
        """Repeatedly drop users and items with fewer than ``k`` entries, and return the rest.

        Raises:
            UsageError: ``k`` is below 1.
            DataError: Nothing is left.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise UsageError(f"k_core = {k!r}: give a whole number of at least 1")
        kept = np.ones(len(self), dtype=bool)
        while True:
            few_users = np.bincount(self.users[kept], minlength=self.n_users) < k
            few_items = np.bincount(self.items[kept], minlength=self.n_items) < k
            dropped = kept & (few_users[self.users] | few_items[self.items])
            if not dropped.any():
                break
            kept &= ~dropped
        if not kept.any():
            raise DataError(f"{self.name}: no users and items are left with {k:,} of each other")
        core = self.take(kept).compact()
        message = (
            f"{k}-core: {len(core):,} of {len(self):,} kept, of {core.n_users:,} users and "
            f"{core.n_items:,} items that have at least {k:,} each"
        )
        return replace(core, notes=(*self.notes, message))

    def require_ratings(self, purpose: str, instead: str) -> None:
        """Refuse interactions for a purpose, the subject of a sentence; ``instead`` is the remedy.

        Raises:
            UsageError: These are interactions.
        """
        if self.implicit:
            raise UsageError(
                f"{self.name}: {purpose} needs ratings, and these are interactions: {instead}, or "
                "read the ratings (--rating COL, without --relevant)"
            )

    @cached_property
    def by_user(self) -> Csr:
        """The ratings grouped by user."""
        return self._grouped(self.users, self.items, self.n_users, self.n_items)

    @cached_property
    def by_item(self) -> Csr:
        """The ratings grouped by item."""
        return self._grouped(self.items, self.users, self.n_items, self.n_users)

    def _grouped(self, rows: Int32, columns: Int32, n_rows: int, n_columns: int) -> Csr:
        csr = group(rows, columns, self.values, n_rows, n_columns)
        return csr if self.weights is None else replace(csr, weights=csr.aligned(self.weights))

    @classmethod
    def from_arrays(
        cls,
        users: Ids | list[Any],
        items: Ids | list[Any],
        values: npt.ArrayLike | None = None,
        times: npt.ArrayLike | None = None,
        *,
        scale: Scale | None = None,
        name: str = "ratings",
    ) -> Ratings:
        """Make ratings from parallel arrays of external ids; each pair must occur once.

        Without values, the result are interactions.

        A low-level constructor for tests and generators. ``matinee.load`` reads tables,
        resolves repeated pairs and checks the values. ``times`` are seconds since 1970 or
        ``datetime64``.

        Raises:
            DataError: The arrays differ in length.
        """
        user_ids, user_codes = Vocabulary.of(np.asarray(users))
        item_ids, item_codes = Vocabulary.of(np.asarray(items))
        entry_values = np.ones(len(user_codes)) if values is None else values
        ratings = np.asarray(entry_values, dtype=np.float32)
        moments = None if times is None else np.asarray(times)
        if moments is not None and moments.dtype.kind == "M":
            moments = moments.astype("datetime64[s]")
        columns = (user_codes, item_codes, ratings, ratings if moments is None else moments)
        if any(column.shape != (len(user_codes),) for column in columns):
            lengths = ", ".join(str(column.shape) for column in columns)
            raise DataError(f"{name}: users, items, ratings and times differ in shape: {lengths}")
        return cls(
            users=user_codes,
            items=item_codes,
            values=ratings,
            times=None if moments is None else moments.astype(np.int64),
            user_ids=user_ids,
            item_ids=item_ids,
            scale=scale or _range(ratings),
            name=name,
            implicit=values is None,
            scale_stated=scale is not None,
        )


def _range(values: Float32) -> Scale:
    return Scale(float(values.min()), float(values.max()))
