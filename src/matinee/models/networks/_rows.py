"""Ratings by the rows of a network, which are users or items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...base.arrays import Float32, Float64, Int64, Mask
from ...baseline import fit_bias, mean_rating
from ...data import CodedColumn, Csr, Ratings, coded_columns, group, stacked
from ...nn import NetworkConfig
from ...train import WHOLE, Shard
from ..support import coded


def rows_of(ratings: Ratings, config: NetworkConfig) -> tuple[Csr, tuple[CodedColumn, ...]]:
    """Return the ratings by row, and the item columns named in the options.

    With items as rows, these columns are stored with the ratings (``Csr.side``).

    Raises:
        UsageError: The items have no column of that name.
    """
    table = ratings.item_table
    items = None if table is None else table.side
    (columns,) = coded_columns(config.columns, (items,), ratings.name, "items")
    if config.rows == "users":
        return ratings.by_user, columns
    return with_columns(ratings.by_item, columns), columns


def with_columns(rows: Csr, columns: tuple[CodedColumn, ...]) -> Csr:
    """Attach item columns to the ratings by item.

    Raises:
        ValueError: The columns have another number of items.
    """
    if any(len(each.indptr) != len(rows.indptr) for each in columns):
        raise ValueError("columns of another number of items")
    side = stacked(columns) if columns else None
    return rows if side is rows.side else replace(rows, side=side)


def grouped(ratings: Ratings, train: Ratings, rows: str, unit: float) -> Csr:
    """Return held-out ratings of known users and items, by the network's rows and columns.

    They are divided by ``unit``, as those of ``train`` have been.
    """
    users, items, values = coded(ratings.multiplied(1.0 / unit), train)
    if rows == "items":
        return group(items, users, values, train.n_items, train.n_users)
    return group(users, items, values, train.n_users, train.n_items)


def column_offset(known: Csr, center: str, shard: Shard = WHOLE) -> Float32:
    """Return the offset subtracted from each column's ratings, float32 (columns,).

    ``known`` are the ratings of this process, ``shard`` the processes that have the others, if any.
    """
    offset = np.zeros(known.n_columns, dtype=np.float32)
    if center == "none":
        return offset
    if center == "bias":
        bias = fit_bias(known, combine=shard.sum)
        offset += np.float32(bias.mean)
        offset += bias.item_bias
    elif known.weights is None:
        offset += np.float32(mean_rating(known, shard.sum))
    else:
        offset += np.float32(np.average(known.values, weights=known.weights))
    return offset


def in_user_order(train: Ratings, held: Mask, predicted: Float64) -> Float64:
    """Reorder values of the validation part from ``train.by_item`` to ``train.by_user``."""
    by_item = entry_order(train.by_item)[train.by_item.aligned(held)]
    by_user = entry_order(train.by_user)[train.by_user.aligned(held)]
    ordered = np.empty(len(predicted))
    ordered[np.argsort(by_user)] = predicted[np.argsort(by_item)]
    return ordered


def entry_order(csr: Csr) -> Int64:
    """Return the position of each entry in the ratings."""
    return np.arange(len(csr.values)) if csr.order is None else csr.order
