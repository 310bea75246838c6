"""What ``default`` gains where it also learns what a network over items says of unrated items.

    python benchmarks/taught.py [--source ml-1m] [--weights 1 3] [--origins 0.55] [--json]

A trial: the package has no such option. First the same network is trained with items as rows, on
the same ratings and with the same ones kept out. Then, at every step of ``default``, each row has
as many unrated items beside its ratings, drawn as often as they are rated; what the first network
says of them is their target, and a weight says how much they count against the ratings. The last
fifth of the ratings by time is not read; within the rest the splits are a tenth at random, and
those of ``rolling_origin.py`` that are asked for. One seed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

import matinee
from matinee.data import Csr, Histories, Ratings
from matinee.models._fitted import FittedNetwork
from matinee.models._training import execute, finished, prepare
from matinee.nn import Batch, Inputs, kernels
from matinee.train import Settings
from rolling_origin import SPARE, origin

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Teacher:
    """What a network over items says of any user and item, clipped to the scale."""

    users: Array
    items: Array
    of_users: Array
    of_items: Array
    low: float
    high: float
    rated: Array
    drawn: Array

    @classmethod
    def of(cls, fitted: FittedNetwork, known: Csr, scale: matinee.data.Scale) -> Teacher:
        """From a network over items, and the ratings by user that it was trained on."""
        assert fitted.known is not None
        vectors, added = fitted._item_vectors(fitted.known)
        network = fitted.network
        users = network.table_out.detach().numpy()
        own = network.bias_out.detach().numpy() + fitted.inputs.offset
        row = np.repeat(np.arange(known.n_rows), known.counts)
        keys = np.sort(row * known.n_columns + known.indices)
        ends = scale.low, scale.high
        return cls(users, vectors, own, added, *ends, keys, known.indices)

    def ask(self, rows: Array, salt: int) -> tuple[Array, Array, Array]:
        """A drawn item for each entry of ``rows``, its prediction, and whether it is unrated."""
        rng = np.random.default_rng(salt)
        columns = self.drawn[rng.integers(len(self.drawn), size=len(rows))]
        wanted = rows * len(self.items) + columns
        place = np.minimum(np.searchsorted(self.rated, wanted), len(self.rated) - 1)
        who, first = np.unique(rows, return_index=True)
        order = np.argsort(first)
        ptr = np.append(first[order], len(rows))
        told = np.empty(len(rows), dtype=np.float32)
        kernels.decode(
            ptr.astype(np.int64),
            columns,
            self.users[who[order]],
            self.items,
            self.of_items,
            0,
            told,
        )
        told = np.clip(told + self.of_users[rows], self.low, self.high)
        return columns, told, self.rated[place] != wanted


@dataclass(frozen=True, eq=False)
class Taught(Inputs):
    """Batches that have a teacher's guesses beside the ratings."""

    teacher: Teacher | None = None
    share: float = 1.0

    def batch(self, *given: Any, **how: Any) -> Batch:
        """As ``Inputs.batch``; with guesses where it is for training."""
        plain = super().batch(*given, **how)
        if self.teacher is None or not how.get("conditional"):
            return plain
        counts = np.diff(plain.indptr)
        each = np.repeat(np.arange(plain.rows), counts)
        columns, told, unrated = self.teacher.ask(given[3][each], how["salt"])
        target = told - self.offset[columns] - plain.row_bias[each]
        # Ratings first, then guesses, row by row.
        place = np.arange(len(each)) + np.repeat(plain.indptr[:-1], counts)
        later = place + counts[each]
        joined = []
        for ratings, guesses in (
            (plain.column, columns),
            (plain.target, target),
            (plain.weight, self.share * unrated),
        ):
            both = np.empty(2 * len(each), dtype=ratings.dtype)
            both[place], both[later] = ratings, guesses
            joined.append(both)
        inputs = plain.in_ptr, plain.source, plain.coef
        return Batch(2 * plain.indptr, *joined, *inputs, plain.row_bias)


def splits(ratings: Ratings, origins: list[float]) -> Iterator[tuple[str, Ratings, Ratings]]:
    """Name, training and held-out ratings of people and items that are known."""
    before, _ = matinee.split(ratings, holdout=SPARE, by="time")
    parts = [("a random tenth", *matinee.split(before, holdout=0.1, seed=8))]
    parts += [(f"from {start:g} by time", *origin(ratings, start)) for start in origins]
    for name, train, held in parts:
        known = np.bincount(train.items, minlength=train.n_items)[held.items] > 0
        known &= np.bincount(train.users, minlength=train.n_users)[held.users] > 0
        yield name, train.compact(), held.take(known)


def fit(
    train: Ratings, settings: Settings, teacher: Teacher | None, share: float, held: Array | None
) -> tuple[FittedNetwork, Csr, Array | None]:
    """A network, its training ratings by row, and which ratings were kept out."""
    run, held = prepare(train, settings, 0, clip=True, held=held)
    if teacher is not None:
        own = {field.name: getattr(run.inputs, field.name) for field in fields(Inputs)}
        run.inputs = Taught(**own, teacher=teacher, share=share)
    execute(run)
    return finished(run, train, settings), run.known, held


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-1m")
    parser.add_argument("--weights", nargs="*", type=float, default=[1.0, 3.0])
    parser.add_argument("--origins", nargs="*", type=float, default=[0.55])
    parser.add_argument("--only-time", action="store_true", help="leave the random tenth out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    settings = matinee.model("default", device="cpu").settings
    rows = []
    for name, train, held in splits(matinee.load(args.source), args.origins):
        if args.only_time and "time" not in name:
            continue
        users = train.user_ids.encode(held.user_ids.ids)[held.users].astype(np.int64)
        items = train.item_ids.encode(held.item_ids.ids)[held.items].astype(np.int32)
        order = np.argsort(users, kind="stable")
        users, items, values = users[order], items[order], held.values[order]
        histories = Histories.of(train.by_user)
        scale = train.scale

        def score(
            fitted: FittedNetwork,
            asked: tuple[Array, Array] = (users, items),
            values: Array = values,
            ends: tuple[float, float] = (scale.low, scale.high),
            histories: Histories = histories,
        ) -> float:
            told = np.clip(fitted.predict(histories, *asked), *ends)
            return float(np.sqrt(np.mean(np.square(told - values))))

        started = time.perf_counter()
        plain, known, kept_out = fit(train, settings, None, 0.0, None)
        row: dict[str, Any] = {"split": name, "default": score(plain)}
        row["seconds"] = time.perf_counter() - started
        by_items, _, _ = fit(train, settings.replace({"rows": "items"}), None, 0.0, kept_out)
        teacher = Teacher.of(by_items, known, scale)
        row["over items"] = score(by_items)
        for weight in args.weights:
            started = time.perf_counter()
            taught, _, _ = fit(train, settings, teacher, weight, kept_out)
            row[f"taught, weight {weight:g}"] = score(taught)
            row[f"seconds, weight {weight:g}"] = time.perf_counter() - started
            row[f"share, weight {weight:g}"] = taught.share
        rows.append(row)
        if not args.json:
            told = (f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
            print("  ".join(told), flush=True)
    if args.json:
        print(json.dumps({"source": args.source, "rows": rows}))


if __name__ == "__main__":
    main()
