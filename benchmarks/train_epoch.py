"""Time a training epoch of Matinee against a plain dense PyTorch loop, interleaved in one run.

    python benchmarks/train_epoch.py [--json] [--cases ml1m-8 ...] [--rounds 5]

The dense loop is the usual one: a users x items matrix with 0 for missing, `nn.Linear` layers, the
squared error masked by `x != 0`, `torch.optim`. Both see the same ratings and the same batch sizes.
Each round times a stretch of dense steps, the same with the fused optimiser, Matinee's network on
torch's own sparse operations (what CUDA runs), and Matinee's compiled kernels; the figure of a case
is the median over the rounds, scaled to a whole epoch, and a ratio is the median of the rounds' own
ratios. `MATINEE_DATA` must hold ml-1m-seed-split (its 800,167 training ratings are the data); the
Netflix-shaped slice is drawn here (20,000 users, 17,770 items, 1.2% density, Zipf-like popularity).
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass

import numpy as np
import torch

from _rivals import Dense, Ours
from matinee import data
from matinee.nn import NetworkConfig
from matinee.train import TrainConfig


@dataclass(frozen=True)
class Case:
    """One line of the benchmark."""

    name: str
    source: str
    hidden: tuple[int, ...]
    batch: int
    optimizer: str
    at_least: float
    goal: float
    steps: int  # steps timed a round


CASES = [
    Case("ml1m-8", "ml-1m", (128, 128, 128), 8, "adam", 3, 6, 150),
    Case("ml1m-64", "ml-1m", (128, 128, 128), 64, "adam", 4, 6, 40),
    Case("ml1m-512", "ml-1m", (128, 128, 128), 512, "adam", 4, 6, 11),
    Case("netflix-sgd", "netflix", (512, 512, 1024, 512, 512), 128, "sgd", 5, 10, 12),
    Case("netflix-adam", "netflix", (512, 512, 1024, 512, 512), 128, "adam", 5, 10, 12),
]


def ratings(source: str) -> data.Csr:
    """The ratings of a case, grouped by user."""
    if source == "ml-1m":
        return data.load("ml-1m-seed-split/train.dat").by_user
    rng = np.random.default_rng(0)
    users, items, density = 20_000, 17_770, 0.012
    popularity = 1.0 / (np.arange(items) + 30.0) ** 0.9
    counts = rng.lognormal(0.0, 1.0, users)
    counts = np.clip(counts * users * items * density / counts.sum(), 5, 4000).astype(int)
    order = rng.permutation(items).astype(np.int32)
    rows, columns = [], []
    for user, count in enumerate(counts):
        # Gumbel top-k: a weighted draw without replacement
        keys = np.log(popularity) + rng.gumbel(size=items)
        rows.append(np.full(count, user, dtype=np.int32))
        columns.append(order[np.argpartition(-keys, count)[:count]])
    user, item = np.concatenate(rows), np.concatenate(columns)
    stars = rng.integers(1, 6, len(user)).astype(np.float32)
    return data.group(user, item, stars, users, items)


def measure(case: Case, rounds: int, csr: data.Csr) -> dict[str, object]:
    """Time one case."""
    rng = np.random.default_rng(1)
    per_epoch = -(-csr.n_rows // case.batch)
    network = NetworkConfig(hidden=case.hidden, activation="elu")
    train = TrainConfig.make({"optimizer": case.optimizer, "learning_rate": 1e-3, "epochs": 1})
    plain, fused = Dense(csr, network, train), Dense(csr, network, train, fused=True)
    room = (rounds + 1) * case.steps * 8
    ours = Ours(csr, network, train, room)
    ops = Ours(csr, network, train, room, compiled=False)
    seconds: dict[str, list[float]] = {
        "dense": [],
        "dense_fused": [],
        "torch_ops": [],
        "matinee": [],
    }
    for round_ in range(rounds + 1):
        many = 4 if case.source == "ml-1m" else 2  # ours is short: time more steps of it
        order = rng.permutation(csr.n_rows)
        batches = [order[k : k + case.batch] for k in range(0, csr.n_rows, case.batch)]
        batches = [b for b in batches if len(b) == case.batch]
        dense = batches[: case.steps]
        long = (batches * many)[: case.steps * many]
        times = {
            "dense": plain.run(dense) / len(dense),
            "matinee": ours.run(long) / len(long),
            "dense_fused": fused.run(dense) / len(dense),
            "torch_ops": ops.run(dense) / len(dense),
        }
        if round_:  # the first is a warm-up (and compiles the kernels)
            for name, value in times.items():
                seconds[name].append(value * per_epoch)

    def ratio(name: str) -> float:
        pairs = zip(seconds[name], seconds["matinee"], strict=True)
        return round(statistics.median(other / mine for other, mine in pairs), 2)

    return {
        "case": case.name,
        "steps_per_epoch": per_epoch,
        "matinee_s": round(statistics.median(seconds["matinee"]), 4),
        "dense_s": round(statistics.median(seconds["dense"]), 4),
        "dense_fused_s": round(statistics.median(seconds["dense_fused"]), 4),
        "torch_ops_s": round(statistics.median(seconds["torch_ops"]), 4),
        "ratio": ratio("dense"),
        "ratio_fused": ratio("dense_fused"),
        "ratio_torch_ops": ratio("torch_ops"),
        "at_least": case.at_least,
        "goal": case.goal,
    }


def main() -> None:
    """Run the cases and print a line each, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--cases", nargs="+", choices=[c.name for c in CASES], default=None)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    csrs: dict[str, data.Csr] = {}
    if not options.json:
        names = ["case", "matinee", "dense", "fused", "torch ops", "ratio", "v fused", "v ops"]
        print(f"{names[0]:14}" + "".join(f"{name:>10}" for name in names[1:]) + "   need  goal")
    for case in CASES:
        if options.cases and case.name not in options.cases:
            continue
        if case.source not in csrs:
            csrs[case.source] = ratings(case.source)
        row = measure(case, options.rounds, csrs[case.source])
        rows.append(row)
        if not options.json:
            times = (row["matinee_s"], row["dense_s"], row["dense_fused_s"], row["torch_ops_s"])
            ratios = (row["ratio"], row["ratio_fused"], row["ratio_torch_ops"])
            print(
                f"{row['case']:14}"
                + "".join(f"{value:9.3f}s" for value in times)
                + "".join(f"{value:9.2f}x" for value in ratios)
                + f"   {row['at_least']}x    {row['goal']}x",
                flush=True,
            )
    if options.json:
        print(json.dumps({"threads": torch.get_num_threads(), "cases": rows}, indent=1))


if __name__ == "__main__":
    main()
