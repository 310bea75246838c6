"""What ``test_column_blocks`` runs: torchrun --nproc-per-node N column_blocks.py FOLDER.

Each process writes what it has trained to FOLDER/RANK.npz; the first has whole tables.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from problems import divide, parts, ratings, run, settings
from together import CASES, figures, rows_between

import matinee
import sharded
from matinee.nn import ColumnBlocks, Network
from matinee.train import (
    Holdout,
    ProcessGroup,
    Run,
    Shard,
    center_columns,
    record,
    share,
    train,
    whole_arrays,
)
from matinee.train.checkpoint import RunFolder

NAMES = ["adam", "tied sgd", "conditional", "mean", "one row a batch", "one batch", "thin code"]
MORE: dict[str, Any] = {
    "settled": {"center": "bias", "shrink": True, "center_output": True, "learning_rate": 3e-3},
    "sigmoids": {"output_activation": "sigmoid", "init": "normal", "batch_size": 16},
}
NAMES += MORE
RESUMED = ["adam", "tied sgd"]
WIDTH = 7
"""That of the first and of the last layer, which no number of processes divides."""


def started(name: str, group: ProcessGroup, *, assembled: bool = False) -> Run:
    """A case before its first epoch, in float64, with tables in blocks if there are several.

    With ``assembled``, each process has the ratings of all rows, otherwise those of some.
    """
    chosen = {"hidden": [WIDTH, 4, WIDTH], "validation": 0.2, "patience": 2, "keep": "settled"}
    options = settings(**{**chosen, **CASES.get(name, {}), **MORE.get(name, {})})
    known, out = divide(ratings(), 0.2, np.random.default_rng(3))
    state = run(options, csr=known, dtype=torch.float64)
    shard = Shard(group)
    if not group.alone:
        _, inputs = parts(options, known)
        generator = torch.Generator().manual_seed(0)
        args = (options.network, known.n_columns, inputs.table_rows, generator, torch.float64)
        state = replace(state, network=Network(*args, blocks=ColumnBlocks(group)))
        if not assembled:  # the first process has more rows than the others
            cuts = [0, *(known.n_rows * (n + 3) // (group.size + 2) for n in range(group.size))]
            shard = Shard(group, (cuts[group.rank], cuts[group.rank + 1]))
            known, out = (rows_between(csr, shard) for csr in (known, out))
    held = Holdout.of(out, 0, 5, shard=shard)
    return replace(state, known=known, shard=shard, valid=held, watch={"held": held})


def finished(state: Run) -> dict[str, np.ndarray]:
    """The history and the whole weights of a run, trained to its end."""
    for _ in train(state):
        pass
    if state.network.config.centers_output:
        center_columns(state.network, state.inputs, state.known, state.shard)
    arrays = {key: array.copy() for key, array in whole_arrays(state.network).items()}
    return {**arrays, "history": np.array(figures(state.history))}


def stopped(name: str, group: ProcessGroup, folder: Path) -> None:
    """Train for two epochs, and leave a checkpoint."""
    place = RunFolder(folder, {"seed": 1}) if group.first else None
    state = started(name, group)
    with patch("matinee.train.checkpoint.SECONDS", 0.0):
        for epoch in train(state):
            record(state, place, epoch)
            if epoch.epoch == 2:
                return


def resumed(name: str, group: ProcessGroup, folder: Path) -> dict[str, np.ndarray]:
    """Continue from the checkpoint."""
    place = RunFolder(folder, {"seed": 1}) if group.first else None
    state = started(name, group)
    if place is not None:
        place.start(state, resume=True)
    share(state, place)
    assert len(state.history) == 2
    return finished(state)


def predicted(folder: Path, group: ProcessGroup) -> np.ndarray:
    """Predictions of a model that was stopped and resumed; none in a process but the first."""
    ratings = matinee.load_shard(folder / "parquet", group)
    with patch("matinee.train.checkpoint.SECONDS", 0.0):
        model = sharded.resumed(ratings, folder / "run", shard_tables=True)
    if not group.first:
        return np.empty(0)
    model.save(folder / "model")
    return model.predict(model.user_ids.ids[:40], model.item_ids.ids[:40])


def refused(folder: Path, group: ProcessGroup) -> list[str]:
    """The messages of options that need whole tables."""
    ratings, found = matinee.load_shard(folder / "parquet", group), []
    for options in ({"hidden": [8, 4, 1]}, {"refeed": "dense"}, {"batch_norm": True}):
        try:
            matinee.Autoencoder("base", **options).fit(ratings, shard_tables=True)
        except matinee.MatineeError as error:
            found.append(str(error))
    return found


def main(folder: Path) -> None:
    """Train in the processes that torchrun started."""
    torch.set_num_threads(1)
    with ProcessGroup.join() as group:
        found = {}
        for name in NAMES:
            for assembled in (False, True):
                state = started(name, group, assembled=assembled)
                key = f"{name}{' assembled' * assembled}"
                found |= {f"{key}/{each}": array for each, array in finished(state).items()}
        for name in RESUMED:
            stopped(name, group, folder / name)
            again = resumed(name, group, folder / name)
            found |= {f"{name} resumed/{each}": array for each, array in again.items()}
        found["predicted"] = predicted(folder, group)
        found["refused"] = np.array(refused(folder, group))
    np.savez(folder / f"{group.rank}.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
