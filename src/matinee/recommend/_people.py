"""Converts histories in external ids to the codes of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..base.arrays import Array, Float32, Int32, Int64, row_bounds
from ..data import Histories, Ids, Ratings, Scale, Vocabulary
from ..data.values.ids import canonical
from ..errors import DataError, UnknownIdError, UsageError
from ._implied_rating import implied_rating, is_constant

Unknown = Literal["error", "skip"]
History = Mapping[Any, float] | Iterable[tuple[Any, float]] | Iterable[Any]
"""A user's ratings: ``{item_id: rating}``, (item_id, rating) pairs, or ids of items chosen without
a rating, which count as liked."""
HistoriesLike = Ratings | Mapping[Any, History] | Sequence[History]
"""Ratings of users: a table, ``{user_id: history}``, or histories of users 0, 1, 2, ..."""

_NAMED = 5
_BOOLEANS = (bool, np.bool_)
_PAIR = (tuple, list, np.ndarray)
_INT64 = range(-(2**63), 2**63)
_UNTRAINED = "The model was trained"


@dataclass(frozen=True, eq=False)
class People:
    """Users and their histories.

    Attributes:
        histories: In the item codes of one model.
        ids: External user ids, shape (users,); int64, or object of ``str``.
        unnamed: Whether the histories were a sequence, so that the ids are their positions.
        source: What a caller passed, ``Ratings`` compacted; None for the histories of training.
    """

    histories: Histories
    ids: Ids
    unnamed: bool = False
    source: HistoriesLike | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def pick(self, users: Iterable[Any], unknown: Unknown = "error") -> People:
        """Select users by id, in the order of the ids.

        Raises:
            UnknownIdError: An id is unknown, and ``unknown`` is not "skip".
        """
        requested = list(users)
        rows = self.rows(np.array(requested, dtype=object))
        absent = _UNTRAINED if self.source is None else "The histories passed are"
        refuse_unknown("user", requested, rows, unknown, absent)
        rows = rows[rows >= 0]
        return People(self.histories.take(rows), self.ids[rows])

    def rows(self, users: Array) -> Int64:
        """Return the row of each external id, int64, shape (n,); -1 if unknown.

        Raises:
            UsageError: The users are unnamed and an id is not one of their positions: the caller
            would get the predictions of other users.
        """
        vocabulary, codes = Vocabulary.of(self.ids)
        row_of = np.empty(len(vocabulary) + 1, dtype=np.int64)
        row_of[codes] = np.arange(len(codes))
        row_of[-1] = -1  # for the code -1 of unknown ids
        rows = row_of[vocabulary.encode(users)]
        if self.unnamed and (rows < 0).any():
            raise UsageError(
                f"user {users[rows < 0][0]}: histories in a sequence are those of users 0 to "
                f"{len(self) - 1}; pass {{user_id: history}} for other ids"
            )
        return rows


def code_people(
    source: HistoriesLike, item_ids: Vocabulary, scale: Scale, unknown: Unknown = "error"
) -> People:
    """Convert histories to a model's item codes.

    For an item rated twice in a history the last rating counts. An unknown item is an error, or is
    ignored with ``unknown="skip"``. Interactions count as liked; on a scale of one value, as of
    a model of interactions, all ratings have that value.

    Raises:
        UnknownIdError: Items the model does not know.
        DataError: A rating that is not a finite number within the scale.
        UsageError: Not a set of histories.
    """
    if isinstance(source, Ratings):
        table = source.compact()
        items = item_ids.encode(table.item_ids.ids)
        refuse_unknown("item", table.item_ids.ids, items, unknown)
        values = table.values
        if table.implicit:  # its values are 1, or counts
            values = np.full_like(values, implied_rating(scale))
        values = _as_interactions(values, scale)
        _check_values(values, scale, table.item_ids.ids, table.items)
        coded = items[table.items]
        shape = table.n_users, len(item_ids)
        histories = _histories(table.users, coded, values, shape, table.weights)
        return People(histories, table.user_ids.ids, source=table)
    ids, people = _split(source, implied_rating(scale))
    counts = [len(person) for person in people]
    names = np.fromiter((item for person in people for item, _ in person), dtype=object)
    if not is_constant(scale) and (scale.low, scale.high) != (0.0, 1.0):
        _refuse_booleans(people, scale)
    try:
        values = np.array([value for person in people for _, value in person], dtype=np.float32)
        values = values.reshape(len(names))  # lists for ratings have two dimensions
    except (TypeError, ValueError):
        raise DataError("a history has a rating that is not a number") from None
    coded = item_ids.encode(names)
    refuse_unknown("item", names, coded, unknown)
    values = _as_interactions(values, scale)
    _check_values(values, scale, names)
    rows = np.repeat(np.arange(len(people)), counts)
    histories = _histories(rows, coded, values, (len(people), len(item_ids)))
    return People(histories, ids, not isinstance(source, Mapping), source)


def refuse_unknown(
    label: str,
    ids: Sequence[Any] | Array,
    codes: npt.NDArray[np.integer[Any]],
    unknown: Unknown = "error",
    absent: str = _UNTRAINED,
) -> None:
    """Raise an UnknownIdError that lists the ids whose code is -1, if any, unless "skip".

    ``absent`` begins the sentence that says what is without them.

    Raises:
        UsageError: ``unknown`` is neither "error" nor "skip".
    """
    if unknown not in get_args(Unknown):
        raise UsageError(f"unknown = {unknown!r}: must be 'error' or 'skip'")
    if unknown == "skip":
        return
    missing = list(dict.fromkeys(str(ids[at]) for at in np.flatnonzero(codes < 0).tolist()))
    if not missing:
        return
    named = ", ".join(missing[:_NAMED])
    more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
    plural = "s" if len(missing) > 1 else ""
    raise UnknownIdError(
        f"unknown {label}{plural}: {named}{more}. {absent} without "
        f"{'them' if plural else 'it'}; unknown='skip' (--skip-unknown) leaves "
        f"{'them' if plural else 'it'} out"
    )


def _split(source: Any, rating: float) -> tuple[Ids, list[list[tuple[Any, float]]]]:
    """Return the ids of users, and the (item id, rating) pairs of each."""
    if isinstance(source, Mapping):
        ids, histories = _ids_of(list(source)), list(source.values())
    elif isinstance(source, Sequence) and not isinstance(source, str | bytes):
        histories = list(source)
        ids = np.arange(len(histories), dtype=np.int64)
    else:
        raise UsageError(
            f"histories must be Ratings, a data frame, {{user_id: {{item_id: rating}}}} or a "
            f"sequence of {{item_id: rating}}, not {type(source).__name__}"
        )
    if histories and all(_may_be_row(one) for one in histories):
        raise UsageError(
            f"histories such as {histories[0]!r} could be rows, (item, rating) pairs of one person "
            "or items of several; pass {user: {item: rating}}, [[(item, rating), ...]] or "
            "[[item, item], ...]"
        )
    return ids, [_pairs(history, rating) for history in histories]


def _refuse_booleans(people: list[list[tuple[Any, float]]], scale: Scale) -> None:
    """Refuse True, which is meant as "liked" and would be 1: the lowest rating of 1 to 5."""
    if {type(value) for person in people for _, value in person}.isdisjoint(_BOOLEANS):
        return
    pairs = (pair for person in people for pair in person)
    item, value = next(pair for pair in pairs if type(pair[1]) in _BOOLEANS)
    raise DataError(
        f"rating {value} of item {item}: give a number from {scale.low:g} to {scale.high:g}, or a "
        "list of the items that were liked"
    )


def _ids_of(keys: list[Any]) -> Ids:
    """Return user ids from the keys of a mapping."""
    if {"user", "item"} <= set(keys) or {"item", "rating"} <= set(keys):
        raise UsageError(
            f"a mapping with the keys {', '.join(map(str, keys))} looks like columns; pass "
            "{user_id: {item_id: rating}}, or a data frame"
        )
    if all(_is_whole(key) for key in keys):
        return np.array(keys, dtype=np.int64)
    ids = np.array([canonical(key) or str(key) for key in keys], dtype=object)
    repeated = [text for text, count in Counter(ids.tolist()).items() if count > 1]
    if repeated:
        raise UsageError(
            f"two histories of user {repeated[0]}: ids are compared as text, so 1 and '1' "
            "are one user; pass one history of each"
        )
    return ids


def _pairs(history: Any, rating: float) -> list[tuple[Any, float]]:
    """Return one user's (item id, rating) pairs; items without a rating have this one."""
    if hasattr(history, "columns"):
        raise UsageError(
            "a history is a data frame: pass dict(zip(frame['item'], frame['rating']))"
        )
    if hasattr(history, "reset_index") and history.dtype.kind in "iuf":
        raise UsageError(
            "a history is a pandas Series of numbers: pass its .to_dict() where they are "
            "ratings by item id, or its .tolist() where they are item ids"
        )
    try:
        if isinstance(history, str | bytes):
            raise TypeError
        items = history.items() if isinstance(history, Mapping) else history
        pairs = [tuple(p) if isinstance(p, _PAIR) else (p, rating) for p in items]
        if any(len(pair) != 2 or isinstance(pair[0], dict) for pair in pairs):
            raise ValueError
    except (TypeError, ValueError):
        raise UsageError(
            "a history must be {item_id: rating}, or a list of item ids; for one person, pass "
            "a list of one history, and ids of known users as users=[...]"
        ) from None
    return pairs


def _is_whole(key: Any) -> bool:
    """Return whether a user id is a whole number that fits an int64, such as 1.0 but not True."""
    if isinstance(key, bool) or not isinstance(key, int | float | np.integer | np.floating):
        return False
    return (isinstance(key, int) or float(key).is_integer()) and int(key) in _INT64


def _may_be_row(history: Any) -> bool:
    """Return whether a history of items looks like an item and its rating, or a row with them."""
    return (
        isinstance(history, tuple)
        and 2 <= len(history) <= 4
        and isinstance(history[-1], int | float | np.number)
        and not any(isinstance(item, tuple | list) for item in history)
    )


def _as_interactions(values: Float32, scale: Scale) -> Float32:
    """For a model of interactions, set every value to the one of its scale."""
    return np.full_like(values, scale.high) if is_constant(scale) else values


def _check_values(
    values: Float32,
    scale: Scale,
    items: Array,
    codes: Int32 | None = None,
) -> None:
    bad = ~scale.holds(values)
    if bad.any():
        at = int(np.argmax(bad))
        item = items[at if codes is None else codes[at]]
        raise DataError(
            f"rating {values[at]:g} of item {item} is outside the scale of this model, "
            f"{scale.low:g} to {scale.high:g}"
        )


def _histories(
    rows: npt.NDArray[np.integer[Any]],
    items: Int32,
    values: Float32,
    shape: tuple[int, int],
    weights: Float32 | None = None,
) -> Histories:
    people, n_items = shape
    known = np.flatnonzero(items >= 0)
    keys = rows[known].astype(np.int64) * max(n_items, 1) + items[known]
    order = np.argsort(keys, kind="stable")
    last = np.ones(len(order), dtype=bool)
    last[:-1] = keys[order[1:]] != keys[order[:-1]]
    chosen = known[order[last]]
    indptr = row_bounds(np.bincount(rows[chosen], minlength=people))
    return Histories(
        indptr,
        items[chosen],
        values[chosen],
        np.full(people, -1, dtype=np.int32),
        None if weights is None else weights[chosen],
    )
