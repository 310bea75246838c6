"""People to whom one process, Ray Data and Spark recommend in a second.

    python benchmarks/scoring_elsewhere.py [--people 100000] [--rounds 3] [--only single ray spark]

A model of `default` is trained on synthetic ratings (`--people` and 2,000 items, 20 ratings a
person, two epochs). All three read the same Parquet file of histories, recommend ten items to
everybody as to new people, and write Parquet: one process by the loop below, in batches of 4,096;
Ray Data (`examples/ray_scoring.py`) with two workers; Spark (`examples/spark_scoring.py`) with
`local[2]`. Each run is a process of its own. Speed is from the difference between runs with all
people and with a tenth of them, so start-up is not part of it; the last column is the start-up that
is left. All three must return the same lists. Needs `pip install 'matinee[scale]'` and Java 17.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

import matinee
from matinee.synth import synthesize

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SINGLE = """
import sys
import numpy as np
import pyarrow.parquet as pq
from matinee.data import write_tables
from matinee.models import load_model

folder, people, out = sys.argv[1:]
model = load_model(folder)

def lists():
    for batch in pq.ParquetFile(people).iter_batches(4096):
        columns = (batch[name].to_pylist() for name in ("user_id", "items", "ratings"))
        yield model.recommend(
            {user: dict(zip(*rated, strict=True)) for user, *rated in zip(*columns, strict=True)},
            unknown="skip",
        )

write_tables(lists(), out)
"""
ENGINES = {
    "single": [sys.executable, "-c", SINGLE],
    "ray": [sys.executable, str(EXAMPLES / "ray_scoring.py")],
    "spark": [
        str(Path(sys.executable).parent / "spark-submit"),
        "--master",
        "local[2]",
        str(EXAMPLES / "spark_scoring.py"),
    ],
}


def prepare(people: int, folder: Path) -> None:
    """Train the model, and write the histories of all people and of a tenth of them."""
    ratings = synthesize(people, 2_000, 20 * people, seed=1).ratings
    model = matinee.model("default", epochs=2).fit(ratings, seed=0)
    model.save(folder / "model")
    ids = {"u": ratings.users, "i": ratings.item_ids.decode(ratings.items), "r": ratings.values}
    with duckdb.connect() as db:
        db.register("flat", ids)
        for name, most in (("all", ratings.n_users), ("tenth", ratings.n_users // 10)):
            db.execute(
                "COPY (SELECT u AS user_id, list(i) AS items, list(r) AS ratings FROM flat "
                f"WHERE u < {most} GROUP BY u ORDER BY u) TO '{folder}/{name}.parquet' "
                "(FORMAT parquet, ROW_GROUP_SIZE 8192)"
            )


def run(engine: str, folder: Path, part: str) -> float:
    """Return the seconds of a whole process that scores a part of the people."""
    out = folder / f"{engine}-{part}.parquet"
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    if out.is_dir():  # Ray would add to what an earlier round wrote
        shutil.rmtree(out)
    began = time.perf_counter()
    done = subprocess.run(
        [*ENGINES[engine], str(folder / "model"), str(folder / f"{part}.parquet"), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr[-3000:]}")
    return time.perf_counter() - began


def lists(engine: str, folder: Path) -> np.ndarray:
    """Return the items listed by an engine, by person and rank."""
    out = folder / f"{engine}-all.parquet"
    files = f"{out}/*.parquet" if out.is_dir() else str(out)
    query = (
        f"SELECT CAST(item_id AS VARCHAR) AS i FROM '{files}' ORDER BY CAST(user_id AS INT), rank"
    )
    return np.asarray(duckdb.sql(query).fetchnumpy()["i"])


def main() -> None:
    """Time the engines in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    options = parser.parse_args()
    engines = options.only
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(options.people, folder)
        seconds: dict[str, list[tuple[float, float]]] = {engine: [] for engine in engines}
        for _ in range(options.rounds):
            for engine in engines:
                times = run(engine, folder, "tenth"), run(engine, folder, "all")
                seconds[engine].append(times)
        print("| engine | people a second | whole run, s | start-up, s |\n|---|---:|---:|---:|")
        for engine, times in seconds.items():
            tenth, whole = (statistics.median(part) for part in zip(*times, strict=True))
            each = (whole - tenth) / (0.9 * options.people)
            start = whole - each * options.people
            print(f"| {engine} | {1 / each:,.0f} | {whole:.1f} | {start:.1f} |")
        first = lists(engines[0], folder)
        same = [np.mean(lists(engine, folder) == first) for engine in engines]
        print(f"the same items at the same ranks: {', '.join(f'{part:.3%}' for part in same)}")
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
