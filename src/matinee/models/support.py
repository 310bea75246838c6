"""What models share: checks of training ratings, item vectors and counts, analysis of errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from ..base.arrays import Array, Float32, Int32, Int64
from ..base.memory import count_codes
from ..baseline.time_offset import TimedPeople
from ..data import Histories, Ratings
from ..data.coerce import require_finite
from ..errors import DataError, UsageError
from .hooks import Hooks

if TYPE_CHECKING:
    from ..evaluate import Breakdown, Scored


def suited(kind: str, train: Ratings, interactions: bool, weights: bool) -> Ratings:
    """Check that a kind of model can be trained on ratings; return them ``checked``.

    Raises:
        UsageError: Interactions or weights that the model does not take, or weights
            that are not one number above 0 for each rating.
        DataError: See ``checked``.
    """
    if not interactions:
        instead = "train a list model, such as the presets lists and ease"
        train.require_ratings(f"the model {kind}", instead)
    if train.weights is None:
        return checked(train)
    if not weights:
        raise UsageError(
            f"{train.name}: the model {kind} takes no weights of ratings; train an autoencoder or "
            "a list model, such as the presets default and lists, or leave the weights (of a split "
            "folder by --weight none) and half_life out"
        )
    weights_array: Array = np.asarray(train.weights)
    if weights_array.shape != train.values.shape or weights_array.dtype.kind not in "iuf":
        raise UsageError(
            f"{train.name}: weights must be an array of {len(train):,} numbers, one for each "
            f"rating, not {weights_array.dtype} of the shape {weights_array.shape}"
        )
    weights_array = weights_array.astype(np.float32)
    if not (np.isfinite(weights_array).all() and (weights_array > 0).all()):
        raise UsageError(f"{train.name}: a weight is not above 0; leave such ratings out")
    return checked(replace(train, weights=weights_array))


def checked(ratings: Ratings) -> Ratings:
    """Validate training ratings and make them compact.

    A scale that was not given is computed from these ratings alone, as a part of a split
    inherits the scale of all parts.

    Raises:
        DataError: Fewer than two users or items, a repeated pair, or a non-finite value.
    """
    require_finite(ratings)
    data = ratings.compact().with_own_scale() if len(ratings) else ratings
    for label, count in (("user", data.n_users), ("item", data.n_items)):
        if len(data) == 0 or count < 2:
            have = 0 if len(data) == 0 else count
            raise DataError(
                f"{ratings.name}: {len(ratings):,} ratings with {have} {label}"
                f"{'' if have == 1 else 's'}; training needs at least two users and two items"
            )
    by_user = data.by_user
    same = by_user.indices[1:] == by_user.indices[:-1]
    starts = by_user.indptr[1:-1]
    same[starts - 1] = False  # data is compact, so no row is empty
    if same.any():
        at = int(np.argmax(same))
        row = int(np.searchsorted(by_user.indptr, at, side="right")) - 1
        raise DataError(
            f"{ratings.name}: user {data.user_ids.ids[row]} rated item "
            f"{data.item_ids.ids[by_user.indices[at]]} twice ({int(same.sum()):,} such); "
            "matinee.load settles repeated ratings"
        )
    return data


class ItemVectors(NamedTuple):
    """Item vectors and biases of a linear last layer.

    An unclipped prediction (with ordinal outputs, its latent score) is ``hidden . vector + bias``
    plus a bias of the user, which does not affect the order of items.

    Attributes:
        vectors: float32 (n_items, width).
        biases: float32 (n_items,), offsets included.
    """

    vectors: Float32
    biases: Float32


def item_vectors(model: Hooks) -> ItemVectors | None:
    """Return the learned item vectors of a model, or None if it has none."""
    item_space = getattr(model, "item_space", None)
    return None if item_space is None else item_space()


def item_counts(model: Hooks) -> Int64 | None:
    """Return the number of training ratings of each item, int64 (n_items,).

    None for a model saved without histories by a version that did not store the counts.
    """
    if model._item_counts is None and model.histories is not None:
        model._item_counts = count_codes(model.histories.items, model.n_items)
    return model._item_counts


def coded(ratings: Ratings, train: Ratings) -> tuple[Int32, Int32, Float32]:
    """Return users, items (codes of ``train``) and values of ratings of known ones, (n,) each."""
    users = train.user_ids.encode(ratings.user_ids.ids)[ratings.users]
    items = train.item_ids.encode(ratings.item_ids.ids)[ratings.items]
    known = (users >= 0) & (items >= 0)
    return users[known], items[known], ratings.values[known]


def analysis(
    model: Hooks,
    test: Ratings,
    histories: Histories,
    rows: Int64,
    seed: int,
    timed: TimedPeople | None = None,
) -> Callable[[], Breakdown]:
    """Return a function that breaks down a model's errors, as long as the model is unchanged.

    ``rows`` has the row in ``histories`` of each user code of ``test``.
    """
    provenance = model.provenance

    def analyse() -> Breakdown:
        from ..evaluate import breakdown

        if model.provenance is not provenance:
            raise UsageError("the model has been fitted again since: evaluate it again")
        titles = None if model.item_table is None else model.item_table.titles
        counts = item_counts(model)
        known = np.zeros(model.n_items, dtype=np.int64) if counts is None else counts
        scored = cast("Scored", model)
        return breakdown(scored, test, histories, rows, known, titles, timed=timed, seed=seed)

    return analyse
