"""What re-feeding costs and gains: off, dense, and sampled, on the network ``deeprec-3m``.

    python benchmarks/refeeding.py cost [--rounds 5]
    python benchmarks/refeeding.py gain [--epochs 36] [--seeds 0 1] [--only NAME ...]

``cost`` prints processor seconds an epoch at ML-1M's shape and at Netflix's (20,000 users, 17,770
items), the forms interleaved in one run, each the median over the rounds of a stretch of steps. "a
row each" is the step that a sample of its own for every row would need: 256 columns shown and 256
scored, through the kernels for sparse rows, as much of it again as the step on x.

``gain`` trains on nine tenths of the *training* part of ML-1M's seeded split and prints the RMSE on
the last tenth (the best epoch's and the last's), with the paper's learning rates. The test part is
not read. `MATINEE_DATA` must hold ml-1m-seed-split.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
import torch

import matinee
from matinee import data
from matinee.models import preset
from matinee.nn import Batch, Network, make_inputs
from matinee.train._backend import KernelBackend
from train_epoch import ratings

COSTS: dict[str, dict[str, Any]] = {
    "off": {"refeed": "off"},
    "dense": {"refeed": "dense"},
    "sampled 256": {"refeed": "sampled", "refeed_entries": 256},
    "sampled 1024": {"refeed": "sampled", "refeed_entries": 1024},
}
GAINS: dict[str, dict[str, Any]] = {
    "off, rate 0.001": {"refeed": "off", "learning_rate": 1e-3},
    "off, rate 0.005": {"refeed": "off"},
    "dense, rate 0.001": {"learning_rate": 1e-3},
    "dense, rate 0.005": {},
    "sampled 256": {"refeed": "sampled", "refeed_entries": 256},
    "sampled 1024": {"refeed": "sampled"},
    "centred, off": {"center": "mean", "refeed": "off"},
    "centred, dense": {"center": "mean"},
    "centred, sampled 1024": {"center": "mean", "refeed": "sampled"},
}
ROOM = 10_000  # steps a schedule is made for


class Form:
    """One form of re-feeding on one set of ratings."""

    def __init__(self, csr: data.Csr, options: dict[str, Any]) -> None:
        settings = preset("deeprec-3m").replace(options)
        self.csr = csr
        offset = np.zeros(csr.n_columns, dtype=np.float32)
        self.inputs = make_inputs(settings.network, offset)
        generator = torch.Generator().manual_seed(0)
        network = Network(settings.network, csr.n_columns, self.inputs.table_rows, generator)
        self.backend = KernelBackend(network.train(), settings.train, ROOM)
        self.done = 0

    def batch(self, rows: np.ndarray) -> Batch:
        """The ratings of some rows."""
        return self.inputs.batch(self.csr.indptr, self.csr.indices, self.csr.values, rows)

    def run(self, batches: list[np.ndarray]) -> float:
        """Processor seconds of a step, its batch's assembly included."""
        started = time.process_time()
        for rows in batches:
            self.done += 1
            self.backend.step(self.batch(rows), self.done)
        self.backend.flush(self.done)
        return (time.process_time() - started) / len(batches)


class RowEach(Form):
    """Steps on as many columns a row as a sample of its own for every row would have."""

    def __init__(self, csr: data.Csr, entries: int) -> None:
        super().__init__(csr, {"refeed": "off"})
        self._rng = np.random.default_rng(2)
        self._entries = entries

    def batch(self, rows: np.ndarray) -> Batch:
        """Half of each row's columns shown, half scored."""
        n, m = self.csr.n_columns, 2 * self._entries
        drawn = [self._rng.choice(n, m, replace=False) for _ in rows]
        column = np.concatenate(drawn).astype(np.int32)
        indptr = np.arange(len(rows) + 1, dtype=np.int64) * m
        scored = np.tile(np.repeat(np.float32([0, 1]), m // 2), len(rows))
        coef = (3.6 * n / m * 2) * (1 - scored)
        bias = np.zeros(len(rows), dtype=np.float32)
        return Batch(indptr, column, 3.6 * scored, scored, indptr, column, coef, bias)


def cost(rounds: int) -> None:
    """Print seconds an epoch for every form."""
    print(f"{'':16}" + "".join(f"{name:>14}" for name in [*COSTS, "a row each"]))
    for source, steps in (("ml-1m", 24), ("netflix", 12)):
        csr = ratings(source)
        forms = {name: Form(csr, options) for name, options in COSTS.items()}
        own = RowEach(csr, 256)
        per_epoch = -(-csr.n_rows // 128)
        seconds: dict[str, list[float]] = {name: [] for name in [*COSTS, "a row each"]}
        rng = np.random.default_rng(1)
        for number in range(rounds + 1):
            order = rng.permutation(csr.n_rows)[: steps * 128]
            batches = np.split(order, steps)
            times = {name: form.run(batches) for name, form in forms.items()}
            times["a row each"] = own.run(batches) + times["off"]
            if number:  # the first compiles the kernels
                for name, value in times.items():
                    seconds[name].append(value * per_epoch)
        middle = {name: statistics.median(some) for name, some in seconds.items()}
        print(f"{source:16}" + "".join(f"{value:>14.3f}" for value in middle.values()), flush=True)


def gain(epochs: int, seeds: list[int], only: list[str]) -> None:
    """Print the validation RMSE of every form."""
    train, _ = data.named_split("ml-1m-seed-split")
    train, held = matinee.split(train, holdout=0.1, seed=7)
    print(f"{'':22}{'seed':>5}{'best':>9}{'epoch':>7}{'last':>9}{'train':>9}{'cpu s':>8}")
    for name in only:
        for seed in seeds:
            started = time.process_time()
            model = matinee.Autoencoder("deeprec-3m", epochs=epochs, validation=0.0, **GAINS[name])
            try:
                model.fit(train, watch={"held": held}, seed=seed)
            except matinee.MatineeError as error:
                print(f"{name:22}{seed:>5}  {error}", flush=True)
                continue
            curve = [epoch.watched["held"] for epoch in model.epochs]
            best = int(np.argmin(curve))
            spent = time.process_time() - started
            print(
                f"{name:22}{seed:>5}{curve[best]:9.4f}{best + 1:7}{curve[-1]:9.4f}"
                f"{model.epochs[-1].train_rmse:9.4f}{spent:8.1f}",
                flush=True,
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["cost", "gain"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=36)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=GAINS, default=list(GAINS))
    args = parser.parse_args()
    if args.what == "cost":
        cost(args.rounds)
    else:
        gain(args.epochs, args.seeds, args.only)


if __name__ == "__main__":
    main()
