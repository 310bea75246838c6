"""Seconds per epoch in one process and in two, on a Netflix-shaped slice: python FILE.

One epoch's steps, without scoring, of the same network, data, seed and global batch: in one process
with two threads, in one with one, and in two with one each (torchrun, gloo). The setups take turns
and each one's best round counts. In brackets, CPU seconds of the process that had most: where other
programs take the cores, and wall time tells little, that still tells what there was to do. Bytes
are those that the processes sum in a step; in a ring of n processes each one sends 2 (n - 1) / n
times as many.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _processes import Counting, run

NETWORKS: dict[str, dict[str, Any]] = {
    "3 x 128": {"hidden": [128, 128, 128]},
    "deeprec-full": {"preset": "deeprec-full"},
}
CASES: list[tuple[str, int, str]] = [
    ("3 x 128", 128, "off"),
    ("3 x 128", 512, "off"),
    ("deeprec-full", 128, "off"),
    ("deeprec-full", 512, "off"),
    ("deeprec-full", 512, "sampled"),
    ("deeprec-full", 512, "dense"),
]
SETUPS = {"1 process x 2 threads": (1, 2), "1 process x 1 thread": (1, 1), "2 x 1": (2, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=2048, help="of 480,189, with 209 ratings each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.users, args.worker)
        return
    best: dict[str, dict[str, dict[str, float]]] = {name: {} for name in SETUPS}
    for _ in range(args.rounds):
        for name, (processes, threads) in SETUPS.items():
            for case, figures in measured(args.users, processes, threads).items():
                before = best[name].get(case, figures)
                best[name][case] = {key: min(before[key], figures[key]) for key in figures}
    print(f"{args.users:,} users of 17,770 items; seconds per epoch, best of {args.rounds}\n")
    head = [f"{name:>22}" for name in SETUPS]
    print(f"{'network, batch, re-feeding':32}{''.join(head)}   steps  MB summed a step")
    for case in next(iter(best.values())):
        shown = [best[name][case] for name in SETUPS]
        seconds = [f"{one['seconds']:13.2f} ({one['cpu']:6.2f})" for one in shown]
        figures = best["2 x 1"][case]
        size = figures["bytes"] / figures["steps"] / 1e6
        print(f"{case:32}{''.join(seconds)}{figures['steps']:8.0f}{size:18.2f}")


def measured(users: int, processes: int, threads: int) -> dict[str, dict[str, float]]:
    """Each case's figures in some processes."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        run([__file__, "--users", str(users), "--worker", str(out)], processes, threads)
        figures: dict[str, dict[str, float]] = json.loads(out.read_text())
        return figures


def work(users: int, out: Path) -> None:
    """Time every case in this process, with the others that torchrun started."""
    import numpy as np

    from matinee.models import preset
    from matinee.models.networks.trainer import Trainer
    from matinee.synth import synthesize
    from matinee.train import RunContext, train

    ratings = synthesize(users, 17_770, users * 209, seed=0, threads=1).ratings
    figures = {}
    with Counting.join() as group:
        for name, batch, refeed in CASES:
            options = {"validation": 0.0, "epochs": 2, "batch_size": batch, "refeed": refeed}
            network = dict(NETWORKS[name])
            settings = preset(network.pop("preset", "base")).replace({**options, **network})
            training = Trainer(ratings, settings, 0, RunContext(clip=False, group=group)).run
            for epoch in train(training):
                if epoch.epoch == 1:  # compiles, and touches every page
                    group.sent.clear()
                    group.wait()
                    started, before = time.perf_counter(), time.process_time()
            seconds, cpu = time.perf_counter() - started, time.process_time() - before
            figures[f"{name}, {batch}, {refeed}"] = {
                "seconds": seconds,
                "cpu": max(group.join_parts((np.array([cpu]), group.rank, group.size))[0]),
                "steps": len(training.cuts),
                "bytes": sum(group.sent),
            }
    if group.first:
        out.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
