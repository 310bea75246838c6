"""The paper's network for all of Netflix at full size: ours against dense PyTorch, and the memory.

    python benchmarks/netflix_scale.py [--json] [--folder DIR] [--rounds 5] [--speed-only]

The data: 480,189 users x 17,770 items, 100 million ratings, from the package's generator; drawn
into a temporary folder that is removed at the end, or into `--folder`, which is used as it is where
it holds a set (for a quick look at another shape: `--users N --items N --ratings N`).

The network: the preset `deeprec-full` (n,512,512,1024,dp(0.8),512,512,n; SELU on every layer, SGD
with momentum 0.9, learning rate 0.001) without re-feeding. The dense rival is the same in
`nn.Linear` layers on dense rows of the batch, with the squared error masked by `x != 0` and
`torch.optim.SGD`, plain and fused. In each round all three take steps on the same users, drawn from
the whole set. Milliseconds a step are medians over the rounds, a ratio is the median of the rounds'
own ratios, and an epoch is the steps of all users.

Memory is of a process of its own, without a rival: it loads the folder and fits the preset through
the public class for one whole epoch at batch 512, validation part included. Its seconds check the
extrapolation. Needs Linux and 600 MB of disk.

Wall time on a busy machine says little; `--clock thread` counts the time that the main thread was
given, which needs `OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1`, so that it does all the work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import matinee
from _memory import peak_mib
from _rivals import CLOCKS, Clock, Dense, Ours
from matinee import data
from matinee.models import preset
from matinee.synth import write_synthetic

PRESET, CHANGES = "deeprec-full", {"refeed": "off", "learning_rate": 1e-3}
BATCHES = (128, 512)
BOUND_GIB = 6.0


def measure(csr: data.Csr, batch: int, rounds: int, steps: int, clock: Clock) -> dict[str, Any]:
    """Time steps of one batch size."""
    settings = preset(PRESET).replace({**CHANGES, "batch_size": batch, "epochs": 1})
    network, train = settings.network, settings.train
    plain = Dense(csr, network, train, clock=clock)
    fused = Dense(csr, network, train, fused=True, clock=clock)
    many = 3  # ours is short: time more steps of it
    ours = Ours(csr, network, train, (rounds + 1) * steps * many, clock=clock)
    rng = np.random.default_rng(1)
    ms: dict[str, list[float]] = {"matinee": [], "dense": [], "dense_fused": []}
    for round_ in range(rounds + 1):
        users = rng.permutation(csr.n_rows)[: batch * steps * many]
        long = [users[k : k + batch] for k in range(0, len(users), batch)]
        short = long[:steps]
        times = {
            "dense": plain.run(short) / len(short),
            "matinee": ours.run(long, settle=False) / len(long),  # which an epoch does once
            "dense_fused": fused.run(short) / len(short),
        }
        if round_:  # the first is a warm-up
            for name, seconds in times.items():
                ms[name].append(1e3 * seconds)

    def ratio(name: str) -> float:
        pairs = zip(ms[name], ms["matinee"], strict=True)
        return round(statistics.median(other / mine for other, mine in pairs), 2)

    per_epoch = -(-csr.n_rows // batch)
    row: dict[str, Any] = {"batch": batch, "steps_per_epoch": per_epoch}
    row |= {f"{name}_ms": round(statistics.median(values), 1) for name, values in ms.items()}
    row |= {"ratio": ratio("dense"), "ratio_fused": ratio("dense_fused")}
    for name, values in ms.items():
        row[f"{name}_hours"] = round(statistics.median(values) * per_epoch / 3.6e6, 4)
    return row


def train_alone(folder: Path) -> dict[str, float]:
    """One whole epoch through the public class, with the peak memory of this process."""
    started = time.perf_counter()
    ratings = matinee.load(folder)
    loaded = time.perf_counter() - started
    load_peak = peak_mib() / 1024
    model = matinee.Autoencoder(PRESET, **CHANGES, batch_size=BATCHES[-1], epochs=1).fit(ratings)
    return {
        "load_seconds": round(loaded, 1),
        "load_peak_gib": round(load_peak, 2),
        "epoch_seconds": round(model.epochs[-1].seconds, 1),
        "peak_gib": round(peak_mib() / 1024, 2),
    }


def in_a_process(folder: Path) -> dict[str, float]:
    """``train_alone`` in a process of its own."""
    command = [sys.executable, __file__, "--folder", str(folder), "--alone"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def show(row: dict[str, Any]) -> str:
    """The line of one batch size."""
    times = [f"{row[f'{name}_ms']:8.1f}" for name in ("matinee", "dense", "dense_fused")]
    hours = [f"{row[f'{name}_hours']:9.4f}" for name in ("matinee", "dense", "dense_fused")]
    ratios = f"{row['ratio']:8.2f}x{row['ratio_fused']:8.2f}x"
    return f"{row['batch']:5}" + "".join(times) + ratios + "".join(hours)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--users", type=int, default=480_189)
    parser.add_argument("--items", type=int, default=17_770)
    parser.add_argument("--ratings", type=int, default=100_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--speed-only", action="store_true", help="leave the memory out")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(train_alone(options.folder)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "netflix"
        if not folder.exists():
            write_synthetic(folder, options.users, options.items, options.ratings)
        memory = {} if options.speed_only else in_a_process(folder)
        csr = matinee.load(folder).by_user
    rows = []
    if not options.json:
        print(
            f"threads: {torch.get_num_threads()}; {csr.n_rows:,} users, {len(csr.values):,} ratings"
        )
        print("batch ms: ours   dense   fused  v dense  v fused  h: ours    dense    fused")
    for batch in BATCHES:
        steps = max(2, 8 * BATCHES[0] // batch)
        rows.append(measure(csr, batch, options.rounds, steps, CLOCKS[options.clock]))
        if not options.json:
            print(show(rows[-1]), flush=True)
    result: dict[str, Any] = {"batches": rows, **memory}
    if memory:
        result |= {"bound_gib": BOUND_GIB, "within": memory["peak_gib"] <= BOUND_GIB}
    if options.json:
        print(json.dumps({"threads": torch.get_num_threads(), **result}, indent=1))
    else:
        print("".join(f"{key:16} {result[key]}\n" for key in result if key != "batches"), end="")


if __name__ == "__main__":
    main()
