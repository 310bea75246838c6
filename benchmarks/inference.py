"""The one CPU inference against the torch network's: bits, seconds, and the first answer.

    python benchmarks/inference.py MODEL [--against /path/to/other/python]

MODEL is a saved autoencoder with histories. Scores of all items, predictions of every training
rating, and one person's list are timed in turn, several times each. With ``--against``, whole
processes that load the model and answer once are timed with another installation in turn.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import matinee
from matinee.baseline.ordinal import expected_ratings
from matinee.nn import encode_rows, predict_entries
from matinee.nn.activations import activation

FIRST = "import matinee; m = matinee.load_model({!r}); m.recommend(users=m.user_ids.ids[:1])"


def processor() -> str:
    try:
        with Path("/proc/cpuinfo").open() as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(one: Callable[[], Any], other: Callable[[], Any], runs: int) -> tuple[float, float]:
    pairs = [(seconds(one), seconds(other)) for _ in range(runs + 1)][1:]  # the first compiles
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--against", help="the Python of another installation, before a change")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{processor()}, {os.cpu_count()} cores, load {load}; medians of {args.runs}, in turn")
    if args.against:
        code = FIRST.format(str(args.model))
        here, there = in_turn(
            lambda: subprocess.run([sys.executable, "-c", code], check=True),
            lambda: subprocess.run([args.against, "-c", code], check=True),
            args.runs,
        )
        print(f"import, load, one list: {here:.2f} s; the other {there:.2f} s")
    model: Any = matinee.load_model(args.model)
    histories, fitted = model.histories, model._trained
    network, inputs = fitted.network, fitted.inputs
    known = histories.csr(model.n_items)
    some = np.arange(min(len(histories), 1024))
    one, batch = histories.take(some[:1]), histories.take(some)
    rows = np.repeat(np.arange(len(histories)), histories.counts)
    everyone = np.arange(len(histories))

    @torch.no_grad()
    def predict_rows(rows: Any) -> Any:
        hidden, added = encode_rows(network, inputs, known, rows)
        output = activation(network.config.output_activation).torch(torch)
        scores = output(torch.from_numpy(hidden) @ network.table_out.t() + network.bias_out)
        return expected_ratings(scores.numpy() + inputs.offset + added[:, None], inputs.link)

    tasks: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "one person, all items": (
            lambda: fitted.scores(one),
            lambda: predict_rows(some[:1]),
        ),
        f"{len(some)} people, all items": (
            lambda: fitted.scores(batch),
            lambda: predict_rows(some),
        ),
        f"{len(rows):,} single ratings": (
            lambda: fitted.predict(histories, rows, histories.items),
            lambda: predict_entries(
                network, inputs, known, everyone, histories.indptr, histories.items
            ),
        ),
    }
    print("| work | NumPy | torch and kernels | ratio | largest difference |")
    print("|---|---|---|---|---|")
    for name, (mine, torchs) in tasks.items():
        far = float(np.abs(mine() - torchs()).max())
        a, b = in_turn(mine, torchs, args.runs)
        print(f"| {name} | {a * 1e3:.2f} ms | {b * 1e3:.2f} ms | {a / b:.2f} | {far:.1e} |")


if __name__ == "__main__":
    main()
