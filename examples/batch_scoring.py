"""Recommend to every user of a model, streamed to one Parquet file on one machine.

    python examples/batch_scoring.py models/quickstart top10.parquet

The same as `matinee recommend MODEL --all-users --out FILE`, as a library: people are scored in
batches and written as they come, so memory does not grow with their number.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from matinee.data import Table, write_tables
from matinee.models import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("-k", type=int, default=10)
    options = parser.parse_args()

    model = load_model(options.model)
    rows = 0

    def counted() -> Iterator[Table]:
        nonlocal rows
        for table in model.recommend_all(k=options.k):
            rows += len(table)
            yield table

    began = time.perf_counter()
    write_tables(counted(), options.out)
    seconds = time.perf_counter() - began
    scored = model.n_users * model.n_items
    print(f"{rows:,} rows; {scored / seconds:,.0f} ratings predicted per second")


if __name__ == "__main__":
    main()
