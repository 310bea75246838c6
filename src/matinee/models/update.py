"""Incremental training: update a model with ratings that came after training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..base.arrays import Int64, Mask
from ..baseline.time_offset import NEVER, last_times
from ..data import Ratings, SideColumns
from ..data.splits.shared import join, share_vocabularies
from ..data.values.weights import weighted_together
from ..errors import DataError, UsageError
from .hooks import Hooks


def updated(
    model: Any, new: Ratings, seed: int, epochs: int | None, options: dict[str, Any]
) -> Any:
    """Return a copy of a model updated with new ratings; see ``Recommender.update``."""
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs = {epochs}: give a whole number of at least 1")
    data, added = all_ratings(model, new)
    fresh = type(model)._restore(*model._state())
    fresh.clip = model.clip
    fresh._continue(model, data, added, epochs)
    try:
        fit_whole(fresh, model, data, new, seed=seed, **options)
    finally:
        fresh._forget_start()
    earlier = model.provenance
    update = {"added": new.name, "n_added": int(added.sum()), "to": earlier.fingerprint}
    fresh.record = {"updates": [*model.record.get("updates", []), update]}
    if "removed" in model.record:  # their ratings still had an effect on the weights
        fresh.record["removed"] = model.record["removed"]
    return fresh


def fit_whole(fresh: Any, model: Hooks, data: Ratings, new: Ratings, **options: Any) -> None:
    """Fit a model to the ratings that ``all_ratings`` returned, or to a part of them.

    ``data`` are without times, and weighted already if they are weighted by age; ``new`` have
    times if these are known.
    """
    fresh._weighted = True
    try:
        fresh.fit(data, **options)
    finally:
        fresh._weighted = False
    newest = model.provenance.newest
    if newest is not None:
        newest = None if new.times is None else max(newest, int(new.times.max()))
    fresh.provenance = replace(fresh.provenance, newest=newest)
    if newest is not None and model.last_rated is not None:  # its coefficients are kept
        fresh.time_offset, fresh.last_rated = model.time_offset, _last_rated(fresh, model, new)


def _last_rated(fresh: Hooks, model: Hooks, new: Ratings) -> Int64:
    """Return the time of each user's last rating in an updated model; see ``Hooks.last_rated``."""
    assert model.last_rated is not None
    # ``fresh`` lacks users whose ratings are all in a part that is left out.
    last = np.full(fresh.n_users + 1, NEVER)
    for ids, times in ((model.user_ids, model.last_rated), (new.user_ids, last_times(new))):
        np.maximum.at(last, fresh.user_ids.encode(ids.ids), times)
    return last[:-1]


def known_ratings(model: Hooks) -> Ratings:
    """Return the ratings that a model was trained on, without times.

    Raises:
        UsageError: The model was saved without its ratings.
    """
    histories = model.histories
    if histories is None:
        raise UsageError(
            "this model was saved without histories, and an update must know what it was trained "
            "on; train anew"
        )
    stated = model.scale.low < model.scale.high
    users, items = model.side_columns
    table = model.item_table
    if table is not None and table.columns is None and items is not None:
        others = {n: values for n, values in items.columns.items() if n not in table.side.columns}
        table = replace(table, columns=SideColumns(others))
    return Ratings(
        users=np.repeat(histories.users, histories.counts),
        items=histories.items,
        values=histories.values,
        times=None,
        user_ids=model.user_ids,
        item_ids=model.item_ids,
        scale=model.scale,
        scale_stated=stated,
        item_table=table,
        name=model.provenance.dataset,
        notes=model.provenance.notes,
        implicit=not model.knows_ratings,
        weights=model.weights,
        user_columns=users,
    )


def all_ratings(model: Hooks, new: Ratings) -> tuple[Ratings, Mask]:
    """Join a model's training ratings and new ratings; also return the mask of the new ones.

    New ratings replace earlier ones of the same pair, as new titles, genres and side columns do
    earlier ones; those that are not replaced are kept. The result has no times, and is weighted by
    age if the model's ratings are.

    Raises:
        DataError: No new ratings, a rating outside the model's scale, or ratings where the model
            was trained on interactions (or the other way round).
        UsageError: The model was saved without its training ratings.
    """
    before = known_ratings(model)
    if not len(new):
        raise DataError(f"{new.name}: no new ratings to update the model with")
    if new.implicit != before.implicit:
        raise DataError(
            f"{new.name}: the model was trained on interactions, and these are ratings: "
            "--relevant RATING (relevant=) reads those of at least that as interactions"
            if before.implicit
            else f"{new.name}: the model was trained on ratings, and these are interactions: "
            "read the ratings (--rating COL, without --relevant)"
        )
    low, high = before.scale.low, before.scale.high
    outside = np.flatnonzero(~((new.values >= low) & (new.values <= high)))
    if len(outside) and not new.implicit:
        raise DataError(
            f"{new.name}: a rating of {new.values[outside[0]]:g} is off the scale of the model, "
            f"{low:g} to {high:g}; train anew"
        )
    before, new = weighted_together(before, model.provenance.newest, new, model.half_life)
    new_part = replace(new, scale=before.scale, times=None, notes=())
    added, old = share_vocabularies(new_part, before)
    pairs = [part.users.astype(np.int64) * part.n_items + part.items for part in (old, added)]
    kept = old.take(~np.isin(pairs[0], pairs[1]))
    whole = join(kept, added, name=before.name)
    note = f"{len(added):,} ratings of {new.name} added to {len(before):,}"
    whole = replace(whole, scale=before.scale, notes=(*before.notes, note))
    return whole, np.arange(len(whole)) >= len(kept)
