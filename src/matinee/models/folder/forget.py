"""Removes people from a saved model without training it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...base.arrays import Array, Arrays, Mask, row_bounds
from ...base.memory import entries_of
from ...nn import ROWS_PER_COLUMN
from ..base import Recommender
from ._checks import USER_COLUMNS, of_people
from .read import load_identified


def forget(folder: Path | str, gone: Callable[[str], bool]) -> int:
    """Remove people from a model folder: ids, ratings, stored codes and side columns.

    The folder is replaced atomically. Predictions for others are unchanged if the rows of the
    model are users; models that predict from the training ratings themselves (rows of items, BSPM,
    the closed form over users) predict without those of the people removed. Other weights are
    kept: the people's ratings had an effect on them until the model is trained again.
    ``record["removed"]`` counts the people removed since it was trained.

    Args:
        folder: The model folder.
        gone: Whether the user with an id is to be removed.

    Returns:
        Number of people removed; if 0, the folder is unchanged.

    Raises:
        ModelFileError: No model folder, or a damaged one.
        MatineeError: The folder cannot be written.
    """
    model, _, name = load_identified(folder)
    kept = np.array([not gone(str(user)) for user in model.user_ids.ids], dtype=np.bool_)
    if kept.all():
        return 0
    fewer, n = _without(model, kept), int((~kept).sum())
    former = [*model.record.get("refresh", {}).get("former", []), name]
    fewer.record = {
        **model.record,
        "removed": model.record.get("removed", 0) + n,
        "refresh": {**model.record.get("refresh", {}), "former": former},
    }
    fewer.save(folder, histories=model.histories is not None)
    return n


def _without(model: Recommender, kept: Mask) -> Recommender:
    """Return a loaded model without the users that are not kept, a mask (users,)."""
    arrays, config = model._state()
    codes = np.flatnonzero(kept)
    for name, array in tuple(arrays.items()):
        if not len(array):
            continue
        if USER_COLUMNS in name:
            if name.endswith("indptr"):
                indptr, entries = entries_of(array, codes)
                levels = name.removesuffix("indptr") + "codes"
                arrays |= {name: indptr, levels: arrays[levels][entries]}
        elif of_people(name) or name.startswith("user_"):
            arrays[name] = array[codes]
    members = config.get("members")
    for at, each in enumerate([config] if members is None else members):
        network = each.get("settings", {}).get("network", {})
        if "n_columns" in each and network["rows"] == "items":
            each["n_columns"] = len(codes)
            part = "" if members is None else f"member.{at}."
            _drop_columns(arrays, part, kept, ROWS_PER_COLUMN[network["input"]])
    fewer = type(model)._restore(arrays, config)
    fewer._inherit(model)
    fewer.user_ids = model.user_ids.take(codes)
    if model.histories is not None:
        users = np.arange(len(codes), dtype=np.int32)
        fewer.histories = replace(model.histories.take(codes), users=users)
    if model.last_rated is not None:
        fewer.last_rated = model.last_rated[codes]
    if model.interest is not None:
        fewer.interest = model.interest.without(kept)
    return fewer


def _drop_columns(arrays: dict[str, Array], part: str, kept: Mask, inputs: int) -> None:
    """Drop users from a network whose rows are items, with some rows of input for each user."""
    for name in ("network.table_out", "network.bias_out", "inputs.offset"):
        if part + name in arrays:  # with tied weights there is no second table
            arrays[part + name] = arrays[part + name][kept]
    table = arrays[f"{part}network.table_in"]
    rows = np.ones(len(table), dtype=np.bool_)  # the last are of side columns
    rows[: inputs * len(kept)] = np.repeat(kept, inputs)
    arrays[f"{part}network.table_in"] = table[rows]
    if f"{part}known.indptr" in arrays:  # members share one
        arrays |= _known(arrays, f"{part}known.", kept)


def _known(arrays: Arrays, part: str, kept: Mask) -> Arrays:
    """Return the ratings by item without those of users that are not kept."""
    indptr, users, values = (arrays[part + name] for name in ("indptr", "indices", "values"))
    entries = kept[users]
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))[entries]
    return {
        f"{part}indptr": row_bounds(np.bincount(rows, minlength=len(indptr) - 1)),
        f"{part}indices": (np.cumsum(kept) - 1)[users[entries]].astype(np.int32),
        f"{part}values": values[entries],
    }
