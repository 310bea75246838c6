"""How an epoch's cost grows: with the ratings, with the items, and with the width.

    python benchmarks/cost_growth.py [--json] [--rounds 3] [--picture docs/results/cost-growth.svg]

One of the three moves, the others stay: 3,000 users, 4,000 items, 300,000 synthetic ratings, three
hidden layers of 256, batch 128, SGD with momentum. Whole epochs of Matinee and of the dense PyTorch
loop of `train_epoch.py` take turns; a figure is the median over the rounds. Writes the picture.
`--clock thread` is for a busy machine, as in `netflix_scale.py`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from _rivals import CLOCKS, Clock, Dense, Ours
from matinee.base.atomic import atomic_path
from matinee.charts._svg import element
from matinee.charts.chart import WIDTH, Chart, Drawing
from matinee.charts.lines import Level, Lines, Series
from matinee.data import Csr
from matinee.nn import NetworkConfig
from matinee.synth import synthesize
from matinee.train import TrainConfig

USERS, BATCH = 3000, 128
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "results" / "cost-growth.svg"


@dataclass(frozen=True)
class Shape:
    """What a point of the curves is measured at."""

    ratings: int = 300_000
    items: int = 4000
    width: int = 256


MOVES = {
    "ratings": (75_000, 150_000, 300_000, 600_000),
    "items": (1000, 2000, 4000, 8000, 16_000),
    "width": (64, 128, 256, 512),
}


@dataclass(frozen=True)
class Point:
    """Seconds of an epoch at a shape."""

    moved: str
    value: int
    matinee: float
    dense: float


def measure(csr: Csr, width: int, rounds: int, clock: Clock) -> tuple[float, float]:
    """Seconds an epoch: ours, dense."""
    network = NetworkConfig(hidden=(width,) * 3, activation="elu")
    train = TrainConfig(optimizer="sgd", epochs=1)
    cuts = range(BATCH, csr.n_rows, BATCH)
    dense = Dense(csr, network, train, clock=clock)
    ours = Ours(csr, network, train, (rounds + 1) * (len(cuts) + 1), clock=clock)
    rng = np.random.default_rng(1)
    seconds = []
    for _ in range(rounds + 1):
        batches = np.split(rng.permutation(csr.n_rows), cuts)
        seconds.append((ours.run(batches), dense.run(batches)))
    mine, other = zip(*seconds[1:], strict=True)  # the first is a warm-up
    return statistics.median(mine), statistics.median(other)


def points(rounds: int, clock: Clock) -> list[Point]:
    """Every point, the shared one in the middle measured once."""
    done: dict[Shape, tuple[float, float]] = {}
    found = []
    for moved, values in MOVES.items():
        for value in values:
            shape = replace(Shape(), **{moved: value})
            if shape not in done:
                csr = synthesize(USERS, shape.items, shape.ratings).ratings.by_user
                done[shape] = measure(csr, shape.width, rounds, clock)
            found.append(Point(moved, value, *done[shape]))
    return found


@dataclass(frozen=True, kw_only=True)
class Panels(Chart):
    """Charts side by side."""

    panels: tuple[Lines, ...]
    kind = "lines"

    def draw(self, width: float = WIDTH) -> Drawing:
        """See ``Chart.draw``."""
        each = width / len(self.panels)
        drawn = [panel.draw(each) for panel in self.panels]
        parts = [
            element("g", drawing.content, transform=f"translate({at * each:.1f} 0)")
            for at, drawing in enumerate(drawn)
        ]
        return Drawing("".join(parts), width, max(drawing.height for drawing in drawn))


def picture(found: list[Point]) -> Panels:
    """The curves, a panel for each quantity."""
    panels = []
    for moved in MOVES:
        here = [point for point in found if point.moved == moved]
        x = [float(point.value) for point in here]
        unit = "" if moved == "width" else " (thousands)"
        series = [
            Series("Matinee", [v / (1000 if unit else 1) for v in x], [p.matinee for p in here]),
            Series("dense", [v / (1000 if unit else 1) for v in x], [p.dense for p in here]),
        ]
        panels.append(
            Lines(
                name=f"cost-{moved}",
                title=moved,
                series=series,
                x_title=moved + unit,
                y_title="seconds an epoch",
                levels=(Level(0.0, ""),),
                cut=False,
            )
        )
    return Panels(
        name="cost-growth",
        title="Seconds of an epoch, as one quantity grows and the others stay",
        summary=". ".join(
            f"{moved}: "
            + "; ".join(
                f"{p.value:,}: Matinee {p.matinee:.2f} s, dense {p.dense:.2f} s"
                for p in found
                if p.moved == moved
            )
            for moved in MOVES
        ),
        panels=tuple(panels),
    )


def table(found: list[Point]) -> str:
    """A Markdown table."""
    lines = ["| moved | value | Matinee, s | dense, s | ratio |", "|---|---|---|---|---|"]
    lines += [
        f"| {p.moved} | {p.value:,} | {p.matinee:.3f} | {p.dense:.3f} | {p.dense / p.matinee:.1f} |"
        for p in found
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    found = points(options.rounds, CLOCKS[options.clock])
    with atomic_path(options.picture) as temporary:
        head = '<?xml version="1.0" encoding="UTF-8"?>\n'
        temporary.write_text(head + picture(found).file(960.0) + "\n", encoding="utf-8")
    rows = [vars(point) for point in found]
    threads = torch.get_num_threads()
    print(json.dumps({"threads": threads, "points": rows}) if options.json else table(found))


if __name__ == "__main__":
    main()
