"""Serve a catalogue too large to score in full: maximum inner product search with usearch.

    matinee export models/quickstart --items items.parquet
    pip install usearch
    python examples/retrieve_usearch.py models/quickstart items.parquet

The last layer of a network is linear: a person's prediction of an item is the inner product of
their hidden layer with the item's vector, plus the item's bias, plus a number of their own that
moves no item past another. With the bias as one more dimension (the person's is 1), the best items
are those of the largest inner product. An index over the items, here usearch's HNSW graph, finds
nearly all of them by looking at a small part of a million-item catalogue.

An index for inner products does best where vectors are of one length. So each item gets one more
dimension, the root of what its length lacks of the longest (Bachrach et al. 2014), in which the
person has 0: no inner product changes, and the index can go by the cosine.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import duckdb
import numpy as np
from usearch.index import Index

from matinee.models import Autoencoder, load_model

FOUND, ASKED = 10, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a model folder with histories")
    parser.add_argument("items", help="what matinee export --items wrote")
    options = parser.parse_args()

    columns = duckdb.sql(f"SELECT item_id, bias, vector FROM '{options.items}'").fetchnumpy()
    vectors = with_bias(np.stack(columns["vector"]), np.asarray(columns["bias"]))
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="f32")
    index.add(np.arange(len(vectors)), vectors)

    model = load_model(options.model)
    if not isinstance(model, Autoencoder):
        parser.error(f"{options.model} is not an autoencoder")
    people = model.histories.take(np.arange(min(ASKED, model.n_users)))
    hidden = model.encode(people)
    ones, zeros = np.ones((len(hidden), 1), np.float32), np.zeros((len(hidden), 1), np.float32)
    queries = np.hstack([hidden, ones, zeros])
    began = time.perf_counter()
    found = [index.search(query, FOUND).keys for query in queries]
    each = (time.perf_counter() - began) / len(queries)

    best = np.argsort(-(queries @ vectors.T), axis=1)[:, :FOUND]
    hits = np.mean([len(set(a) & set(b)) / FOUND for a, b in zip(found, best, strict=True)])
    print(f"{len(vectors):,} items: {each * 1000:.2f} ms a search, {hits:.1%} of the true top ten")
    print("for the first person:", ", ".join(str(columns["item_id"][key]) for key in found[0]))


def with_bias(vectors: Any, biases: Any) -> Any:
    """Item vectors with their bias, and with what makes all of them equally long."""
    whole = np.hstack([vectors, biases[:, None]])
    squares = np.square(whole).sum(axis=1)
    lacking = np.sqrt(np.maximum(squares.max() - squares, 0.0))
    return np.hstack([whole, lacking[:, None]]).astype(np.float32)


if __name__ == "__main__":
    main()
