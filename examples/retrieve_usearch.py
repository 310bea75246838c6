"""Lists for a catalogue too large to score in full: maximum inner product search with usearch.

    pip install 'matinee[scale]'
    matinee export models/quickstart --items items.parquet
    python examples/retrieve_usearch.py models/quickstart items.parquet --out lists.parquet

The last layer of a network is linear: a person's predicted rating of an item is the inner product
of their hidden layer with the item's vector, plus the item's bias, plus a number of their own that
does not change the order. With the bias as one more dimension (the person's is 1), the best items
are those of the largest inner product. An index of the items, here usearch's HNSW graph, finds most
of them by comparing a small part of the catalogue; how many is printed, and depends on --breadth.
All people are encoded from their ratings, as new ones are: codes stored in training are not used.

An index for inner products does best where vectors are of one length. So each item gets one more
dimension, the root of what its length lacks of the longest (Bachrach et al. 2014), in which the
person has 0: no inner product changes, and the index can go by the cosine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise

import duckdb
import numpy as np
import numpy.typing as npt
from usearch.index import Index

from matinee.data import Histories, Table, write_tables
from matinee.models import Autoencoder, load_model

K, BATCH = 10, 8192
Floats = npt.NDArray[np.float32]


def index_of(vectors: Floats, breadth: int = 512) -> Index:
    """An index of the items' vectors; a larger breadth finds more and takes longer."""
    options = {"connectivity": 32, "expansion_add": 128, "expansion_search": breadth}
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="f32", **options)
    index.add(np.arange(len(vectors)), vectors)
    return index


def item_vectors(path: str) -> Floats:
    """The vectors of all items with their bias, and with what makes all of them equally long."""
    columns = duckdb.sql(f"SELECT bias, vector FROM '{path}'").fetchnumpy()
    whole = np.hstack([np.stack(columns["vector"]), np.asarray(columns["bias"])[:, None]])
    squares = np.square(whole).sum(axis=1)
    lacking = np.sqrt(np.maximum(squares.max() - squares, 0.0))
    return np.hstack([whole, lacking[:, None]]).astype(np.float32)


def queries(model: Autoencoder, people: Histories) -> Floats:
    """The vectors of people: hidden layer, 1 for the bias, 0 for the last dimension."""
    constant = np.tile(np.array([1, 0], dtype=np.float32), (len(people), 1))
    return np.hstack([model.encode(people), constant])


def nearest(index: Index, vectors: Floats, people: Histories) -> npt.NDArray[np.int64]:
    """The ten nearest items of each person that are not in their history; -1 for none."""
    most = K + int(people.counts.max(initial=0))
    keys = index.search(vectors, min(most, len(index))).keys.astype(np.int64)
    first = np.arange(len(people)) * len(index)
    seen = np.isin(keys + first[:, None], np.repeat(first, people.counts) + people.items)
    order = np.argsort(seen, axis=1, kind="stable")[:, :K]  # what is not seen comes first
    found = np.take_along_axis(keys, order, axis=1)
    return np.where(np.take_along_axis(seen, order, axis=1), -1, found)


def lists(model: Autoencoder, index: Index) -> Iterator[Table]:
    """Lists of all users of the model, a table for each batch."""
    assert model.histories is not None
    by_length = np.argsort(model.histories.counts, kind="stable")  # a long history asks for more
    for first in range(0, model.n_users, BATCH):
        rows = by_length[first : first + BATCH]
        people = model.histories.take(rows)
        found = nearest(index, queries(model, people), people)
        listed = found >= 0
        yield Table(
            {
                "user_id": model.user_ids.decode(np.repeat(rows, listed.sum(axis=1))),
                "item_id": model.item_ids.decode(found[listed]),
                "rank": (np.nonzero(listed)[1] + 1).astype(np.int32),
            }
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="the folder of an autoencoder, with histories")
    parser.add_argument("items", help="what matinee export --items wrote")
    parser.add_argument("--out", help="write the lists of all users to this file")
    parser.add_argument("--breadth", type=int, default=512)
    parser.add_argument("--sample", type=int, default=200, help="users to measure the recall on")
    options = parser.parse_args()

    model = load_model(options.model)
    if not isinstance(model, Autoencoder) or model.histories is None:
        parser.error(f"{options.model} is not an autoencoder with histories")
    vectors = item_vectors(options.items)
    began = time.perf_counter()
    index = index_of(vectors, options.breadth)
    print(f"{len(vectors):,} items: index built in {time.perf_counter() - began:.1f} s")

    people = model.histories.take(np.arange(min(options.sample, model.n_users)))
    ids, ends = model.item_ids.decode(people.items), people.indptr.tolist()
    rated = {
        row: dict(zip(ids[first:last], people.values[first:last], strict=True))
        for row, (first, last) in enumerate(pairwise(ends))
    }
    began = time.perf_counter()
    # By predicted rating, as the index: with love = infinity interest has no part in the order.
    exact = model.recommend(rated, k=K, love=float("inf"))
    seconds = time.perf_counter() - began
    found = nearest(index, queries(model, people), people)
    wanted = zip(exact["user_id"], model.item_ids.encode(exact["item_id"]), strict=True)
    hits = np.mean([item in found[row] for row, item in wanted])
    print(f"{hits:.1%} of the true top ten; exact: {len(people) / seconds:,.0f} people a second")

    if options.out:
        began = time.perf_counter()
        write_tables(lists(model, index), options.out)
        each = (time.perf_counter() - began) / model.n_users
        print(f"lists of {model.n_users:,} users: {1 / each:,.0f} people a second")


if __name__ == "__main__":
    main()
