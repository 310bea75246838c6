"""What ``test_shards`` runs in several processes: torchrun --nproc-per-node N sharded.py FOLDER.

Each process writes what it has read and trained to FOLDER/RANK.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from together import SMALL, StoppedError

import matinee
from matinee.train import Epoch, ProcessGroup, ShardedRatings

OPTIONS: dict[str, Any] = {
    **SMALL,
    "center": "bias",
    "output_bias": True,
    "bias_start": "mean",
    "l2": 0.01,
}


def rows(ratings: matinee.Ratings) -> list[list[Any]]:
    """The ratings as user, item, rating and time."""
    ids = ratings.user_ids.ids[ratings.users], ratings.item_ids.ids[ratings.items]
    times = np.zeros(len(ratings), np.int64) if ratings.times is None else ratings.times
    return [list(row) for row in zip(*(c.tolist() for c in (*ids, ratings.values, times)))]  # noqa: B905


def read(folder: Path, group: ProcessGroup) -> tuple[ShardedRatings, dict[str, Any]]:
    """Read the Parquet files of a folder; also return a description of the result."""
    sharded = matinee.load_shard(folder / "parquet", group, items=folder / "titles.csv")
    whole, own = sharded.collected(), sharded.own
    return sharded, {
        "own": rows(own),
        "bounds": sharded.shard.bounds,
        "size": len(sharded),
        "fingerprint": sharded.fingerprint(),
        "scale": [own.scale.low, own.scale.high],
        "collected": None if whole is None else rows(whole),
        "titles": None if own.item_table is None else own.item_table.titles.tolist(),
    }


def resumed(sharded: ShardedRatings, folder: Path, **more: Any) -> matinee.Autoencoder:
    """Train for two epochs, stop, and resume."""

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise StoppedError

    options: dict[str, Any] = {"seed": 5, "folder": folder, **more}
    try:
        matinee.Autoencoder("base", **OPTIONS).fit(sharded, on_epoch=stop, **options)
    except StoppedError:
        options["resume"] = True
    return matinee.Autoencoder("base", **OPTIONS).fit(sharded, **options)


def refused(group: ProcessGroup, folder: Path, **options: Any) -> str:
    """The message of an error in every process."""
    try:
        matinee.load_shard(folder, group, **options)
    except matinee.MatineeError as error:
        return str(error)
    return ""


def main(folder: Path) -> None:
    """Read and train in the processes that torchrun started."""
    torch.set_num_threads(1)
    with ProcessGroup.join() as group:
        sharded, found = read(folder, group)
        text = matinee.load_shard(folder / "text", group)
        found["text"] = rows(text.own)
        model = resumed(sharded, folder / "run")
        if group.first:
            own = model.histories
            assert own is not None
            users, items = model.user_ids.ids[:40], model.item_ids.ids[:40]
            predicted, std = model.predict(users, items, with_std=True)
            found |= {"predicted": predicted.tolist(), "std": std.tolist(), "n": len(own.items)}
            found["list"] = model.recommend(users=users[:3])["item_id"].tolist()
            model.save(folder / "model")
        found["refused"] = [
            refused(group, folder / "one.csv"),
            refused(group, folder / "parquet", relevant=4),
            refused(group, folder / "parquet", repeats="mean"),
        ]
    (folder / f"{group.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
