"""What a rating costs on very sparse data, against data of ml-100k's shape.

    python benchmarks/sparse_cost.py [--preset default] [--epochs 80] [--set width_per_rating=20]
        [--before PYTHON] [--cold] [--json]

Synthetic ratings of both shapes: 80,000 by 943 users of 1,650 items, and 65,147 by 16,613 users of
15,242 items. Each fit is a process of its own, after a fit that compiles. Seconds are of the
processor, user and system, on one thread, so that other programs hardly count; a second thread adds
waiting. Before each fit a process touches 2 GiB, since on a virtual machine the first use of memory
costs seconds of system time for each GiB, which are its host's; `--cold` leaves that out.
`--before` is the interpreter of another checkout's environment, whose fits take turns with those
of this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from matinee.synth import synthesize

SHAPES = {"ml-100k": (943, 1650, 80_000), "sparse": (16_613, 15_242, 65_147)}
CODE = """
import json, resource, sys
import matinee
import numpy as np
from matinee.data import Ratings

preset, file, options = json.loads(sys.argv[1])
users, items, values = np.load(file)
ratings = Ratings.from_arrays(users.astype(int), items.astype(int), values)
few = ratings.take((users < 50) & (items < 400)).compact()
matinee.model(preset, **{**options, "epochs": 1}).fit(few)  # compiles
before = resource.getrusage(resource.RUSAGE_SELF)
matinee.model(preset, **options).fit(ratings)
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "user": after.ru_utime - before.ru_utime,
    "system": after.ru_stime - before.ru_stime,
    "peak_mib": after.ru_maxrss / 1024,
}))
"""
TOUCH = "import numpy as np; kept = [np.ones(64 << 20, np.uint8) for _ in range(32)]"
ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def measure(
    python: str, preset: str, file: Path, options: dict[str, Any], cold: bool
) -> dict[str, Any]:
    """Processor seconds and peak memory of a fit by an interpreter, on ratings in a file."""
    if not cold:
        subprocess.run([sys.executable, "-c", TOUCH], check=True)
    asked = json.dumps([preset, str(file), options])
    done = subprocess.run(
        [python, "-c", CODE, asked],
        env={**os.environ, **ONE},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    seconds = figures["user"] + figures["system"]
    return {
        **figures,
        "seconds": seconds,
        "microseconds_a_rating": 1e6 * seconds / SHAPES[file.stem][2],
        "system_share": figures["system"] / seconds,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="default")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE in JSON, an option")
    parser.add_argument("--before", help="the interpreter of another checkout")
    parser.add_argument("--cold", action="store_true", help="without touching memory first")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    set_ = {name: json.loads(value) for name, _, value in (x.partition("=") for x in options.set)}
    set_ |= {} if options.epochs is None else {"epochs": options.epochs}
    codes = {"before": options.before} if options.before else {}
    codes |= {"now": sys.executable}
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for shape, counts in SHAPES.items():
            ratings, file = synthesize(*counts).ratings, Path(folder) / f"{shape}.npy"
            np.save(file, np.array([ratings.users, ratings.items, ratings.values]))
            found[shape] = {
                code: measure(python, options.preset, file, set_, options.cold)
                for code, python in codes.items()
            }
    if options.json:
        print(json.dumps(found))
        return
    print("| code | data | CPU s | us a rating | against ml-100k | system | peak, MiB |")
    print("|---|---|---|---|---|---|---|")
    for code in codes:
        usual = found["ml-100k"][code]["microseconds_a_rating"]
        for shape, each in found.items():
            one = each[code]
            print(
                f"| {code} | {shape} | {one['seconds']:.1f} | {one['microseconds_a_rating']:.0f} | "
                f"{one['microseconds_a_rating'] / usual:.2f} | {one['system_share']:.1%} | "
                f"{one['peak_mib']:.0f} |"
            )


if __name__ == "__main__":
    main()
