"""What a rating costs on very sparse data, against data of ml-100k's shape.

    python benchmarks/sparse_cost.py [--preset default] [--epochs 80] [--before PYTHON] [--json]

Synthetic ratings of both shapes: 80,000 by 943 users of 1,650 items, and 65,147 by 16,613 users of
15,242 items. Each fit is a process of its own, after a fit that compiles. Seconds are of the
processor, user and system, on one thread, so that other programs hardly count; a second thread adds
waiting. `--before` is the interpreter of another checkout's environment, whose fits take turns with
those of this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

SHAPES = {"ml-100k": (943, 1650, 80_000), "sparse": (16_613, 15_242, 65_147)}
CODE = """
import json, resource, sys
import matinee
from matinee.synth import synthesize

preset, shape, options = json.loads(sys.argv[1])
matinee.model(preset, **{**options, "epochs": 1}).fit(synthesize(60, 40, 400).ratings)
ratings = synthesize(*shape).ratings
before = resource.getrusage(resource.RUSAGE_SELF)
matinee.model(preset, **options).fit(ratings)
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "user": after.ru_utime - before.ru_utime,
    "system": after.ru_stime - before.ru_stime,
    "peak_mib": after.ru_maxrss / 1024,
}))
"""
ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def measure(python: str, preset: str, shape: str, options: dict[str, Any]) -> dict[str, Any]:
    """Processor seconds and peak memory of a fit by an interpreter."""
    asked = json.dumps([preset, SHAPES[shape], options])
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
        "microseconds_a_rating": 1e6 * seconds / SHAPES[shape][2],
        "system_share": figures["system"] / seconds,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="default")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--before", help="the interpreter of another checkout")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    set_ = {} if options.epochs is None else {"epochs": options.epochs}
    codes = {"before": options.before} if options.before else {}
    codes |= {"now": sys.executable}
    found = {
        shape: {
            code: measure(python, options.preset, shape, set_) for code, python in codes.items()
        }
        for shape in SHAPES
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
