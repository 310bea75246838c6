"""What ``test_distributed`` trains, alone and in two processes: the second runs this file.

torchrun --nproc-per-node 2 together.py equal|lost FOLDER
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from problems import divide, ratings, run, settings

import matinee
from matinee.data import Csr
from matinee.synth import synthesize
from matinee.train import Epoch, Holdout, ProcessGroup, Shard, train
from matinee.train._backend import KernelBackend, TorchBackend

ENGINES = {"kernels": KernelBackend, "torch": TorchBackend}
CASES: dict[str, dict[str, Any]] = {
    "adam": {"learning_rate": 3e-3, "weight_decay": 0.1, "batch_size": 16, "output_bias": True},
    "tied sgd": {"optimizer": "sgd", "tied": True, "batch_size": 7, "code_dropout": 0.3},
    "conditional": {
        "objective": "conditional",
        "input": "presence",
        "input_scale": "sqrt",
        "center": "bias",
        "code_dropout": 0.5,
        "batch_size": 9,
    },
    "mean": {
        "optimizer": "sgd",
        "input_dropout": 0.3,
        "l2": 0.01,
        "l2_on": "weights",
        "batch_size": 32,
        "schedule": "cosine",
        "warmup": 0.5,
    },
    "ordinal": {"output": "ordinal", "center": "bias", "learning_rate": 3e-3, "batch_size": 9},
    "weighted": {"weight_decay": 0.1, "batch_size": 16, "input_dropout": 0.2},
    "weighted conditional": {
        "objective": "conditional",
        "input": "presence",
        "center": "bias",
        "optimizer": "sgd",
        "batch_size": 9,
    },
    "one row a batch": {"optimizer": "sgd", "batch_size": 1, "hidden": [5], "epochs": 2},
    "one batch": {"batch_size": 512, "activation": "elu", "code_dropout": 0.2, "epochs": 6},
    "thin code": {
        "optimizer": "sgd",
        "hidden": [128, 128, 128],
        "code_dropout": 0.8,
        "batch_size": 59,  # and then a batch of one row
    },
    "refeed": {"refeed": "dense", "optimizer": "sgd", "code_dropout": 0.3, "batch_size": 16},
    "refeed a sample": {
        "refeed": "sampled",
        "refeed_entries": 20,
        "tied": True,
        "batch_size": 11,
        "output_bias": True,
        "l2": 0.01,
    },
}
NAMES = [f"{backend}: {case}" for backend in ENGINES for case in CASES]
SHARDED = [name for name in NAMES if not name.startswith("torch: ") or name == "torch: adam"]
SHARDED = [name for name in SHARDED if "weighted" not in name and "ordinal" not in name]
"""Cases in which each process has the ratings of some rows only."""
SMALL: dict[str, Any] = {
    "hidden": [8, 4, 8],
    "epochs": 4,
    "batch_size": 25,
    "code_dropout": 0.2,
    "validation": 0.1,
}


class StoppedError(Exception):
    """Raised between two epochs, as Ctrl-C would be."""


def trained(
    name: str, group: ProcessGroup, *, sharded: bool = False
) -> tuple[dict[str, np.ndarray], list[Epoch]]:
    """The weights and the history of a case, in float64."""
    backend, case = name.split(": ")
    known, out = divide(ratings(), 0.2, np.random.default_rng(3))
    if case.startswith("weighted"):
        each = np.random.default_rng(4).exponential(1.0, len(known.values)).astype(np.float32)
        known = replace(known, weights=each + np.float32(0.01))
    chosen = settings(**{"validation": 0.2, "patience": 2, "keep": "settled", **CASES[case]})
    state = run(chosen, csr=known, dtype=torch.float64)
    shard = Shard(group)
    if sharded:  # the first process has a quarter of the rows
        cut = known.n_rows // 4
        shard = Shard(group, (0, cut) if group.first else (cut, known.n_rows))
        known, out = (rows_between(csr, shard) for csr in (known, out))
    held = Holdout.of(out, 0, 5, shard=shard)
    state = replace(state, known=known, shard=shard, valid=held, watch={"held": held})
    link = state.inputs.link
    state.backend = ENGINES[backend](state.network, state.config, len(state.cuts), group, link)
    history = list(train(state))
    return {key: array.copy() for key, array in state.network.arrays().items()}, history


def rows_between(csr: Csr, shard: Shard) -> Csr:
    """The same rows, with the ratings of those of a shard only."""
    assert shard.bounds is not None
    first, end = shard.bounds
    return csr.where((csr.entry_rows >= first) & (csr.entry_rows < end))


def predicted(kind: str, group: ProcessGroup, folder: Path | None = None) -> np.ndarray:
    """Predictions after ``fit``: in one go, or where a folder is given with a stop."""
    data = synthesize(90, 40, 1500, seed=2).ratings
    options: dict[str, Any] = {"seed": 5, "group": group, "watch": {"again": data}}

    def stop(epoch: Epoch) -> None:
        if (epoch.epoch, max(epoch.member, 2)) == (2, 2):
            raise StoppedError

    def make() -> Any:
        return matinee.model("accurate" if kind == "ensemble" else "default", **SMALL)

    if folder is not None:
        try:
            make().fit(data, folder=folder, on_epoch=stop, **options)
        except StoppedError:
            options |= {"folder": folder, "resume": True}
    model = make().fit(data, **options)
    answers: np.ndarray = model.predict(
        data.user_ids.ids[data.users], data.item_ids.ids[data.items]
    )
    return answers


def main(what: str, folder: Path) -> None:
    """Train in the processes that torchrun started; each leaves what it got."""
    faulthandler.enable()  # an abort of a library names the line of Python it came from
    torch.set_num_threads(1)
    with ProcessGroup.join() as group:
        if what == "lost":
            state = replace(run(settings(epochs=1000)), shard=Shard(group))
            for epoch in train(state):
                if group.rank == 1 and epoch.epoch == 3:
                    os._exit(7)
        by_name: dict[str, np.ndarray] = {}
        for name in NAMES:
            weights, history = trained(name, group)
            by_name |= {f"{name}/{key}": array for key, array in weights.items()}
            by_name[f"{name}/history"] = np.array(figures(history))
        for name in SHARDED:
            weights, history = trained(name, group, sharded=True)
            by_name |= {f"sharded {name}/{key}": array for key, array in weights.items()}
            by_name[f"sharded {name}/history"] = np.array(figures(history))
        for kind in ("autoencoder", "ensemble"):
            by_name[kind] = predicted(kind, group, folder / kind)
        np.savez(folder / f"{group.rank}.npz", **by_name)
        try:
            group.require_equal({"seed": 1, "data": group.rank})
        except matinee.ProcessError as error:
            (folder / f"{group.rank}.json").write_text(json.dumps(str(error)))
    (folder / f"{group.rank}-threads.json").write_text(json.dumps(threads()))


def threads() -> list[str]:
    """Names of the threads of this process, those of libraries included; none without /proc."""
    return [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]


def figures(history: list[Epoch]) -> list[list[float]]:
    """The metrics of an epoch without its wall time."""
    return [
        [e.loss, e.train_rmse, e.valid_rmse or 0.0, e.watched["held"], e.learning_rate]
        for e in history
    ]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
