"""Where the time of a training of ``default`` goes: seconds and processor seconds by part.

    python benchmarks/default_parts.py [--split ml-1m-seed-split] [--epochs 80] [--threads N]
        [--before PYTHON] [--rounds 1] [--json]

Each fit is a process of its own, after a fit that compiles. A part may contain others: batches
contain the teachers' predictions, and what teachers do side by side counts for each of them.
`--threads 1` compares processor seconds on a busy machine, where
a second thread adds waiting. `--before` is the interpreter of another checkout's environment, whose
fits take turns with those of this one; ratios are of pairs. Minor page faults are counted too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from typing import Any

CODE = """
import collections, json, resource, sys, time

import matinee
from matinee.data import named_split
from matinee.models import trainable
from matinee.models.networks import _stored, trainer
from matinee.train import _backend, _distillation, _holdout, run

split, options = json.loads(sys.argv[1])
train, _ = named_split(split)
few = train.take(train.users < 200).compact()
matinee.model("default", **{**options, "epochs": 1}).fit(few)  # compiles
parts = collections.defaultdict(lambda: [0.0, 0.0])

def timed(name, owner, function):
    inner = getattr(owner, function)
    def outer(*args, **values):
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return inner(*args, **values)
        finally:
            parts[name][0] += time.perf_counter() - wall
            parts[name][1] += time.process_time() - cpu
    setattr(owner, function, outer)

timed("steps", _backend.KernelBackend, "step")
timed("batches", run.Run, "batch")
timed("teachers' predictions", _distillation.Distillation, "extend")
timed("validation scores", _holdout.Holdout, "rmse")
timed("outputs centred", trainer, "center_columns")
timed("stored codes", _stored.StoredCodes, "fit")
timed("lists", trainable.Trainable, "_fit_interest")
before = resource.getrusage(resource.RUSAGE_SELF)
start = time.perf_counter()
matinee.model("default", **options).fit(train)
after = resource.getrusage(resource.RUSAGE_SELF)
user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
parts["all"] = time.perf_counter() - start, user + system
parts["system"] = 0.0, system
print(json.dumps({"parts": parts, "faults": after.ru_minflt - before.ru_minflt}))
"""


def measure(python: str, split: str, options: dict[str, Any], threads: int) -> dict[str, Any]:
    """Seconds of the parts of one fit, and its page faults, by an interpreter."""
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    done = subprocess.run(
        [python, "-c", CODE, json.dumps([split, options])],
        env={**os.environ, **(dict.fromkeys(limits, str(threads)) if threads else {})},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--split", default="ml-1m-seed-split")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    parser.add_argument("--before", help="the interpreter of another checkout")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    codes = {"before": asked.before} if asked.before else {}
    codes |= {"now": sys.executable}
    runs: dict[str, list[dict[str, Any]]] = {code: [] for code in codes}
    for _ in range(asked.rounds):
        for code, python in codes.items():
            options = {"epochs": asked.epochs}
            runs[code].append(measure(python, asked.split, options, asked.threads))
    if asked.json:
        print(json.dumps(runs))
        return
    print("| part | " + " | ".join(f"{code}, s | CPU s" for code in codes) + " | ratio, CPU |")
    print("|---|" + "---|" * (2 * len(codes) + 1))
    for part in runs["now"][0]["parts"]:
        cells = [
            f"{statistics.median(run['parts'][part][at] for run in each):.1f}"
            for each in runs.values()
            for at in (0, 1)
        ]
        pairs = zip(*runs.values(), strict=True)
        ratios = [
            pair[-1]["parts"][part][1] / max(pair[0]["parts"][part][1], 1e-9) for pair in pairs
        ]
        print(f"| {part} | " + " | ".join(cells) + f" | {statistics.median(ratios):.2f} |")
    for code, each in runs.items():
        print(f"{code}: {statistics.median(run['faults'] for run in each):,.0f} minor page faults")


if __name__ == "__main__":
    main()
