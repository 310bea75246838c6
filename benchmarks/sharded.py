"""Memory of each process, where several share ratings and tables or each has all: python FILE.

A table of Netflix's shape (17,770 items, 209 ratings for each user) is written as Parquet and
trained on for two epochs in one process, and in two and four under torchrun, where each has all
ratings, some users' (`--shard`), or these and some columns of the tables (`--shard-tables`).
MiB are of private memory (RssAnon) during the second epoch: of the process with most. Seconds
are those of reading and of the second epoch, of which processes on one machine share the cores.
Bytes are those of the arrays that a process sums or exchanges in a step.
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

EACH = 209
STRIDE = 7_919  # a prime: consecutive ratings reach every item
OPTIONS = {"batch_size": 512, "epochs": 2, "validation": 0.005}
PARTS = {"whole": "all", "shard": "a part", "columns": "a part, tables by columns"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=96_000)
    parser.add_argument("--items", type=int, default=17_770)
    parser.add_argument("--width", type=int, default=128, help="of each of three layers")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(Path(args.worker[0]), args.worker[1], args.width)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder)
        write(path / "ratings.parquet", args.users, args.items)
        print(f"{args.users * EACH:,} ratings; load {os.getloadavg()[0]:.1f}")
        print("\n| processes | ratings in each | MiB | read s | epoch s | MB a step |")
        print("|---:|---|---:|---:|---:|---:|")
        for processes in (1, 2, 4):
            for part in list(PARTS)[: 3 if processes > 1 else 1]:
                row = measured(path, processes, part, args.width)
                print(
                    f"| {processes} | {PARTS[part]} | {row['mib']:,.0f} | {row['read']:.1f} "
                    f"| {row['epoch']:.1f} | {row['bytes'] / 1e6:.2f} |",
                    flush=True,
                )


def write(file: Path, users: int, items: int) -> None:
    """Write random ratings, in random order of users within each row group's range."""
    import duckdb

    with duckdb.connect() as db:
        db.execute("SELECT setseed(0.5)")
        db.execute(
            f"COPY (SELECT (i / {EACH})::INTEGER AS user, (i * {STRIDE} % {items})::INTEGER "
            "AS item, (1 + floor(random() * 5))::FLOAT AS rating "
            f"FROM range({users * EACH}) AS r(i) ORDER BY hash(i)) TO '{file}' (FORMAT parquet)"
        )


def measured(folder: Path, processes: int, part: str, width: int) -> dict[str, float]:
    """The figures of a training in some processes."""
    program = [__file__, "--width", str(width), "--worker", str(folder), part]
    run(program, processes, max((os.cpu_count() or 1) // processes, 1), quiet=True)
    parts = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(processes)]
    return {key: max(part[key] for part in parts) for key in parts[0]}


def work(folder: Path, part: str, width: int) -> None:
    """Train in this process, with the others that torchrun started."""
    import matinee
    from matinee.models import preset
    from matinee.models.networks.trainer import Trainer
    from matinee.train import RunContext, Shard, train

    with Counting.join() as group:
        started = time.perf_counter()
        if part != "whole":
            sharded = matinee.load_shard(folder / "ratings.parquet", group)
            ratings, division = sharded.own, sharded.shard
        else:
            ratings, division = matinee.load(folder / "ratings.parquet"), Shard(group)
        read = time.perf_counter() - started
        settings = preset("base").replace({**OPTIONS, "hidden": [width] * 3})
        context = RunContext(clip=False, group=group, shard_tables=part == "columns")
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
