"""Recommend to more users than one machine holds, with Ray Data.

    pip install 'matinee[scale]'
    python examples/ray_scoring.py MODEL ratings.parquet out/

`ratings.parquet` (a file, or a folder of them) has a row for each person: user_id, items (a list
of item ids) and ratings (a list as long). The model folder must be readable from every node. Each
worker loads it once, without torch; only people and their lists travel.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import ray


class Scorer:
    """One worker: a model, and lists for batches of people.

    Args:
        folder: The model folder.
        k: Items for each person.
    """

    def __init__(self, folder: str, k: int) -> None:
        from matinee.models import load_model

        self._model = load_model(folder)
        self._k = k

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Lists for one batch: user_id, item_id, score, rank."""
        histories = {
            user: dict(zip(items, ratings, strict=True))
            for user, items, ratings in zip(
                batch["user_id"].tolist(), batch["items"], batch["ratings"], strict=True
            )
        }
        table = self._model.recommend(histories, k=self._k, unknown="skip")
        return {name: np.asarray(column) for name, column in table.columns.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("ratings")
    parser.add_argument("out")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--workers", type=int, help="one for each core by default")
    parser.add_argument("--address", help="of a Ray cluster; by default one is started here")
    options = parser.parse_args()
    if options.address:
        ray.init(address=options.address)
    else:
        ray.init(address="local", include_dashboard=False)

    cores = int(ray.cluster_resources()["CPU"])
    lists = ray.data.read_parquet(options.ratings).map_batches(
        Scorer,
        fn_constructor_args=(options.model, options.k),
        batch_size=4096,
        concurrency=options.workers or cores,
        num_cpus=0.5,  # workers that claim every core leave none to the tasks that read for them
    )
    lists.write_parquet(options.out)


if __name__ == "__main__":
    main()
