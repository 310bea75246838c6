"""A leaderboard of lists: presets, baselines and other libraries beside published figures.

    python benchmarks/lists_leaderboard.py run quest [MODEL ...]   # docs/results/lists.csv
    python benchmarks/lists_leaderboard.py page                    # docs/lists-leaderboard.md

Protocols are those of benchmarks/lists.py. A model is a preset, or a model of another library
(benchmarks/_list_rivals.py): without the library its row is kept, or says that it is not
installed. A model that is run again replaces its rows. Intervals are 95% percentile intervals over
people.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import lists
import matinee
from _list_rivals import RIVALS, TITLES, why_not
from matinee.base.atomic import atomic_path
from matinee.models.kinds.popularity import Popularity

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results" / "lists.csv"
PAGE = ROOT / "docs" / "lists-leaderboard.md"
MODELS = ("popularity", "item-knn", "ials", "ease", "gf-cf", "bspm", "lists", *RIVALS)


@dataclass(frozen=True)
class Row:
    """A model's figures by one protocol."""

    data: str
    k: int
    model: str
    source: str
    ndcg: float
    ndcg_low: float
    ndcg_high: float
    recall: float
    recall_low: float
    recall_high: float
    people: int
    fit_seconds: float


NAN = float("nan")


def published(data: str, k: int, model: str, source: str, ndcg: float, recall: float) -> Row:
    return Row(data, k, model, source, ndcg, NAN, NAN, recall, NAN, NAN, 0, NAN)


ANELLI = "published: Anelli et al. 2022"
PUBLISHED = (
    published("ml-1m-quest/0", 10, "EASE (l2 696.79)", ANELLI, 0.34327, 0.19654),
    published("ml-1m-quest/0", 10, "most popular", ANELLI, 0.16221, NAN),
    published("ml-1m-quest/0", 10, "Mult-DAE", ANELLI, 0.30009, NAN),
    published("ml-1m-quest/0", 10, "matrix factorisation, tuned", ANELLI, 0.28031, NAN),
    *(
        published("gowalla-lightgcn", 20, model, "published", ndcg, recall)
        for model, recall, ndcg in (
            ("item-kNN", 0.1570, 0.1214),
            ("SLIM", 0.1699, 0.1382),
            ("Mult-VAE", 0.1641, 0.1335),
            ("EASE (l2 80)", 0.1765, 0.1467),
            ("LightGCN", 0.1830, 0.1554),
            ("UltraGCN", 0.1862, 0.1580),
            ("GF-CF", 0.1849, 0.1518),
            ("SimpleX", 0.1872, 0.1557),
            ("BSPM-EM", 0.1920, 0.1597),
            ("NESCL", 0.1917, 0.1617),
        )
    ),
)


def run(protocol: str, models: list[str], seed: int) -> None:
    parts, k = lists.PROTOCOLS[protocol]
    for data, train, test, given in parts():
        for name in models:
            library, rival = RIVALS.get(name, ("", None))
            reason = why_not(library) if library else ""
            if reason:
                if not any((row.data, row.model) == (data, name) for row in read()):
                    source = f"{TITLES[library]}: {reason}"
                    keep(published(data, k, name, source, NAN, NAN))
                continue
            started = time.perf_counter()
            if rival:
                model: Any = rival()
            else:
                model = Popularity() if name == "popularity" else matinee.model(name)
            model.fit(train, seed=seed)
            seconds = time.perf_counter() - started
            found = model.evaluate_lists(test, k=k, histories=given, baselines=[])
            ndcg, recall = found.scores[k]["ndcg"], found.scores[k]["recall"]
            assert ndcg.interval is not None
            assert recall.interval is not None
            keep(
                Row(
                    data,
                    k,
                    name,
                    f"{TITLES[library]} {version(library)}" if library else "Matinee",
                    ndcg.value,
                    ndcg.interval.low,
                    ndcg.interval.high,
                    recall.value,
                    recall.interval.low,
                    recall.interval.high,
                    found.n_people,
                    seconds,
                )
            )
            print(data, name, f"nDCG {ndcg.value:.4f}, recall {recall.value:.4f}, {seconds:.0f} s")


def version(library: str) -> str:
    from importlib.metadata import version as installed

    return installed(library)


def read() -> list[Row]:
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="", encoding="utf-8") as file:
        kinds = {field.name: field.type for field in fields(Row)}
        convert = {"int": int, "float": float, "str": str}
        return [
            Row(**{name: convert[str(kinds[name])](value) for name, value in line.items()})
            for line in csv.DictReader(file)
        ]


def keep(row: Row) -> None:
    """Add a row to the results, in place of the same model's on the same data."""
    rows = [each for each in read() if (each.data, each.model) != (row.data, row.model)]
    with atomic_path(RESULTS) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        for each in sorted([*rows, row], key=lambda each: (each.data, each.model)):
            plain = asdict(each)
            writer.writerow({n: round(v, 6) if type(v) is float else v for n, v in plain.items()})


def page() -> str:
    """The leaderboard as Markdown."""
    parts = ["# Leaderboard of lists\n", INTRODUCTION]
    measured = read()
    for data in sorted({row.data for row in measured}):
        rows = [row for row in (*measured, *PUBLISHED) if row.data == data]
        rows.sort(key=lambda row: (np.isnan(row.ndcg), -row.ndcg))
        k = rows[0].k
        parts.append(f"\n## {data}\n")
        head = ["model", f"nDCG@{k}", "95% interval", f"recall@{k}", "95% interval", "fit s"]
        lines = [[*head, "source"], ["---"] * (len(head) + 1)]
        lines += [
            [
                f"**{row.model}**" if row.source == "Matinee" else row.model,
                figure(row.ndcg),
                between(row.ndcg_low, row.ndcg_high),
                figure(row.recall),
                between(row.recall_low, row.recall_high),
                "" if np.isnan(row.fit_seconds) else f"{row.fit_seconds:.0f}",
                row.source,
            ]
            for row in rows
        ]
        parts += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(parts) + "\n"


INTRODUCTION = """Every figure is exact, all items ranked, items of the history left out; the mean
over people with its 95% bootstrap interval over people. Settings are chosen inside of `fit`, on
interactions held out of the training part; seed 0. Rows marked as published are from the papers,
on the same split; models of other libraries have their default settings, with 128 factors.
`pip install 'matinee[bench]'` brings implicit and Cornac; RecTools needs NumPy 1 and pandas 2 on
Python 3.11 and is measured in an environment of its own. Fit s is wall time on two cores, mostly
shared with other work.
`python benchmarks/lists_leaderboard.py run PROTOCOL` measures, and
`python benchmarks/lists_leaderboard.py page` writes this page from docs/results/lists.csv."""


def figure(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"


def between(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{low:.4f} to {high:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser("run")
    measure.add_argument("protocol", choices=lists.PROTOCOLS)
    measure.add_argument("models", nargs="*", default=list(MODELS))
    measure.add_argument("--seed", type=int, default=0)
    commands.add_parser("page")
    args = parser.parse_args()
    if args.command == "run":
        run(args.protocol, args.models, args.seed)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
