"""Memory of each process where several share the ratings, and where each has all: python FILE.

A table of Netflix's shape (17,770 items, 209 ratings for each user) is written as Parquet and
trained on for two epochs in one process, and in two and four under torchrun, where each has some
users' ratings (`--shard`) or all. MiB are of private memory (RssAnon) during the second
epoch: of the process with most. Seconds are those of reading and of the second epoch, of which
processes on one machine share the cores. Bytes are those summed in a step.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from _memory import private_mib
from _processes import Counting, run

ITEMS, EACH = 17_770, 209
OPTIONS = {"hidden": [128, 128, 128], "batch_size": 512, "epochs": 2, "validation": 0.005}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=96_000)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(Path(args.worker[0]), shard=args.worker[1] == "shard")
        return
    with TemporaryDirectory() as folder:
        path = Path(folder)
        write(path / "ratings.parquet", args.users)
        print(f"{args.users * EACH:,} ratings; load {os.getloadavg()[0]:.1f}")
        print("\n| processes | ratings in each | MiB | read s | epoch s | MB summed a step |")
        print("|---:|---|---:|---:|---:|---:|")
        for processes in (1, 2, 4):
            for shard in (False, True)[: 1 + (processes > 1)]:
                row = measured(path, processes, shard)
                part = "a part" if shard else "all"
                print(
                    f"| {processes} | {part} | {row['mib']:,.0f} | {row['read']:.1f} "
                    f"| {row['epoch']:.1f} | {row['bytes'] / 1e6:.2f} |",
                    flush=True,
                )


def write(file: Path, users: int) -> None:
    """Write random ratings, in random order of users within each row group's range."""
    import duckdb

    with duckdb.connect() as db:
        db.execute("SELECT setseed(0.5)")
        db.execute(
            f"COPY (SELECT (i / {EACH})::INTEGER AS user, (i * 85 % {ITEMS})::INTEGER AS item, "
            f"(1 + floor(random() * 5))::FLOAT AS rating FROM range({users * EACH}) AS r(i) "
            f"ORDER BY hash(i)) TO '{file}' (FORMAT parquet)"
        )


def measured(folder: Path, processes: int, shard: bool) -> dict[str, float]:
    """The figures of a training in some processes."""
    program = [__file__, "--worker", str(folder), "shard" if shard else "whole"]
    run(program, processes, max((os.cpu_count() or 1) // processes, 1), quiet=True)
    parts = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(processes)]
    return {key: max(part[key] for part in parts) for key in parts[0]}


def work(folder: Path, *, shard: bool) -> None:
    """Train in this process, with the others that torchrun started."""
    import matinee
    from matinee.models import preset
    from matinee.models.networks.trainer import Trainer
    from matinee.train import RunContext, Shard, train

    with Counting.join() as group:
        started = time.perf_counter()
        if shard:
            sharded = matinee.load_shard(folder / "ratings.parquet", group)
            ratings, division = sharded.own, sharded.shard
        else:
            ratings, division = matinee.load(folder / "ratings.parquet"), Shard(group)
        read = time.perf_counter() - started
        settings = preset("base").replace(OPTIONS)
        context = RunContext(clip=False, group=group)
        training = Trainer(ratings, settings, 0, context, shard=division).run
        steps = train(training)
        next(steps)
        group.sent.clear()
        epoch = next(steps)
        figures = {
            "mib": private_mib(),
            "read": read,
            "epoch": epoch.seconds,
            "bytes": sum(size for size in group.sent if size > 64) / len(training.cuts),
        }
    (folder / f"{group.rank}.json").write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
