"""Consistency checks of the parts of a model folder.

Kernels do not check codes and shapes: invalid ones would make them read out of bounds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...base.arrays import Array, Arrays
from ...data import Histories, ItemTable, Vocabulary
from ...errors import ModelFileError
from ...recommend.interest import Interest
from ._fields import MOST

_FEATURES = 6
"""Number of features of the predictive variance without model-specific covariates."""
_STORED = ("stored.codes", "stored.added", "stored.hashes")
"""Arrays of stored codes with a row per user."""
USER_COLUMNS = "user_columns."
"""Part of the names of arrays of user columns."""


def of_people(name: str) -> bool:
    """Return whether an array has data of training users, not saved without histories."""
    return name in _STORED or USER_COLUMNS in name


def check_vocabulary(file: Path, ids: Vocabulary, n: int, table: ItemTable | None = None) -> None:
    """Check that ids are distinct, in order, and as many as the manifest says."""
    if len(ids) != n:
        raise ModelFileError(f"{file}: {len(ids):,} ids where the manifest has {n:,}")
    if len(set(ids.ids.tolist())) != len(ids):
        raise ModelFileError(f"{file}: an id is repeated")
    if ids.numeric and not np.all(ids.ids[:-1] < ids.ids[1:]):
        raise ModelFileError(f"{file}: the ids are not in order")
    if table is not None and not all(isinstance(title, str) for title in table.titles):
        raise ModelFileError(f"{file}: a title is missing or not text")


def check_rows(file: Path, users: Array, items: Array, n: int) -> None:
    """Check that rows are ordered by user and have known codes."""
    if len(users) == 0:
        return
    if users.min() < 0 or users.max() >= n or (np.diff(users) < 0).any():
        raise ModelFileError(f"{file}: rows are not those of {n:,} users in order")
    if items.min() < 0 or items.max() > MOST:
        raise ModelFileError(f"{file}: codes of no item")


def check_histories(file: Path, histories: Histories, n_users: int, n_items: int) -> None:
    """Check the users, items and ratings of the histories."""
    if len(histories.indptr) != n_users + 1 or histories.indptr[-1] != len(histories.items):
        raise ModelFileError(f"{file}: ratings by unknown users")
    if not np.isfinite(histories.values).all():
        raise ModelFileError(f"{file}: a rating is not a number")
    _check_codes(file, histories.indptr, histories.items, n_items)


def check_weights(file: Path, weights: Array | None, histories: Histories) -> None:
    """Check that there are as many weights, if any, as training ratings."""
    if weights is not None and (weights.shape != histories.values.shape or not (weights > 0).all()):
        raise _wrong(file, "histories.weights", weights, f"({len(histories.values)},)")


def check_arrays(file: Path, arrays: Arrays, n_users: int, n_items: int) -> None:
    """Check that arrays have the model's number of users and items, and finite values."""
    for name in ("bias.item_bias", "bias.item_mean", "items.counts", "interest.counts"):
        if name in arrays and arrays[name].shape != (n_items,):
            raise _wrong(file, name, arrays[name], f"({n_items},)")
    last = arrays.get("histories.last")
    if last is not None and (last.shape != (n_users,) or last.dtype != np.int64):
        raise _wrong(file, "histories.last", last, f"({n_users},)")
    _check_spread(file, arrays, n_items)
    for name, array in arrays.items():
        # Empty in a model that was saved without histories.
        if name.endswith("stored.codes") and len(array) not in (0, n_users):
            raise _wrong(file, name, array, f"({n_users}, width)")
        if USER_COLUMNS in name and name.endswith("indptr") and len(array) not in (0, n_users + 1):
            raise _wrong(file, name, array, f"({n_users + 1},)")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"{file}: {name} has a value that is not finite")
        if name.endswith("known.indptr"):
            part = name.removesuffix("indptr")
            indices, values = arrays[f"{part}indices"], arrays[f"{part}values"]
            if len(array) != n_items + 1 or len(values) != len(indices):
                raise _wrong(file, name, array, f"({n_items + 1},)")
            _check_codes(file, array, indices, n_users)
    members = {n.rpartition("inputs.")[0] for n in arrays if n.endswith("inputs.offset")}
    shared = any(name.endswith("known.indptr") for name in arrays)
    for part in members:
        columns = len(arrays[f"{part}inputs.offset"])
        if columns not in ({n_items, n_users} if shared else {n_items}):
            raise _wrong(file, f"{part}inputs.offset", arrays[f"{part}inputs.offset"], "each item")


def _check_spread(file: Path, arrays: Arrays, n_items: int) -> None:
    """Check the arrays of the predictive variance, if there is one."""
    if not any(name.startswith("spread.") for name in arrays):
        return
    n = arrays["spread.weights"].size - 1
    shapes = {"weights": (n + 1,), "center": (n,), "width": (n,), "bounds": (2, n)}
    for name, shape in {**shapes, "items": (n_items, 2), "unknown": (3,)}.items():
        if n < _FEATURES or arrays[f"spread.{name}"].shape != shape:
            raise _wrong(file, f"spread.{name}", arrays[f"spread.{name}"], str(shape))
    if (arrays["spread.width"] <= 0).any() or (arrays["spread.unknown"] < 0).any():
        raise ModelFileError(f"{file}: spread has a deviation below 0")


def check_interest(file: Path, interest: Interest, n_items: int) -> None:
    """Check that the scorer returns a number for each item, for a history of one item."""
    items = np.array([n_items - 1], dtype=np.int32)
    one = np.ones(1, dtype=np.float32)
    person = Histories(np.array([0, 1]), items, one, np.array([-1], dtype=np.int32))
    scores = interest.scores(person)
    if scores.shape != (1, n_items) or not np.isfinite(scores).all():
        raise ModelFileError(f"{file}: the scores of lists are not a number for each item")


def _check_codes(file: Path, indptr: Array, codes: Array, n: int) -> None:
    if indptr[0] != 0 or indptr[-1] != len(codes) or (np.diff(indptr) < 0).any():
        raise ModelFileError(f"{file}: row bounds are not in order")
    if len(codes) == 0:
        return
    if codes.min() < 0 or codes.max() >= n:
        raise ModelFileError(f"{file}: codes above {n:,}")
    rises = np.diff(codes.astype(np.int64)) > 0
    rises[indptr[1:-1][(indptr[1:-1] > 0) & (indptr[1:-1] < len(codes))] - 1] = True
    if not rises.all():
        raise ModelFileError(f"{file}: codes of a row are repeated or not in order")


def _wrong(file: Path, name: str, array: Array, expected: str) -> ModelFileError:
    return ModelFileError(f"{file}: {name} has shape {array.shape}, not {expected}")
