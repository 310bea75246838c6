"""What ``default`` gains where it also learns what a network over items says of unrated items.

    python benchmarks/taught.py [--source ml-1m] [--weights 1 3] [--splits random 0.55] [--json]

A trial: the package has no such option. First the same network is trained with items as rows, on
the same ratings and with the same ones kept out. Then, at every step of ``default``, each row has
as many unrated items beside its ratings, drawn as often as they are rated; what the first network
says of them is their target, and a weight says how much they count against the ratings. Neither
network sees the ratings that are kept out to choose epochs and shrinkage. The last fifth of the
ratings by time is not read; within the rest the splits are a tenth at random, and those of
``rolling_origin.py``; ratings of unknown people and items are left out. One seed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

import matinee
from matinee.data import Csr, Histories, Ratings, Scale
from matinee.models._fitted import FittedNetwork
from matinee.models._training import execute, finished, prepare
from matinee.nn import Batch, Inputs, encode_rows, kernels
from matinee.train import Run, Settings
from rolling_origin import line, rms, splits

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Teacher:
    """What a network over items says of users and items, clipped to the scale.

    Attributes:
        users: Its output rows, float32 (users, width); ``of_users`` is added to their outputs.
        items: Vectors of what it was shown of items (items, width); likewise ``of_items``.
        scale: The scale of the ratings.
        rated: Sorted numbers, user * items + item, of what it was shown.
        drawn: int32, the items of these: a draw from them is an item as often as it is rated.
    """

    users: Array
    items: Array
    of_users: Array
    of_items: Array
    scale: Scale
    rated: Array
    drawn: Array

    @classmethod
    def of(cls, run: Run, by_user: Csr, scale: Scale) -> Teacher:
        """From a finished run over items, and the ratings that it was shown, by user."""
        network, inputs = run.network, run.inputs
        vectors, added = encode_rows(network, inputs, run.known, np.arange(run.known.n_rows))
        own = network.bias_out.detach().numpy() + inputs.offset
        row = np.repeat(np.arange(by_user.n_rows), by_user.counts)
        rated = np.sort(row * by_user.n_columns + by_user.indices)
        users = network.table_out.detach().numpy()
        return cls(users, vectors, own, added, scale, rated, by_user.indices)

    def ask(self, rows: Array, indptr: Array, salt: int) -> tuple[Array, Array, Array]:
        """Drawn items for users, as many as ``indptr`` says; guesses; and whether unrated."""
        each = np.repeat(rows, np.diff(indptr))
        columns = self.drawn[np.random.default_rng(salt).integers(len(self.drawn), size=len(each))]
        wanted = each * len(self.items) + columns
        place = np.minimum(np.searchsorted(self.rated, wanted), len(self.rated) - 1)
        told = np.empty(len(each), dtype=np.float32)
        kernels.decode(indptr, columns, self.users[rows], self.items, self.of_items, 0, told)
        told = np.clip(told + self.of_users[each], self.scale.low, self.scale.high)
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
        columns, told, unrated = self.teacher.ask(given[3], plain.indptr, how["salt"])
        target = told - self.offset[columns] - plain.row_bias[each]
        # Ratings first, then guesses, row by row.
        place = np.arange(len(each)) + plain.indptr[each]
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


@dataclass
class Fit:
    """A network that was fitted: its run, and which ratings were kept out for validation."""

    network: FittedNetwork
    run: Run
    held: Array | None
    seconds: float

    @classmethod
    def of(
        cls,
        train: Ratings,
        settings: Settings,
        held: Array | None = None,
        teacher: Teacher | None = None,
        share: float = 1.0,
    ) -> Fit:
        """Fit one, with or without a teacher."""
        started = time.perf_counter()
        run, held = prepare(train, settings, 0, clip=True, held=held)
        if teacher is not None:
            own = {field.name: getattr(run.inputs, field.name) for field in fields(Inputs)}
            run.inputs = Taught(**own, teacher=teacher, share=share)
        execute(run)
        return cls(finished(run, train, settings), run, held, time.perf_counter() - started)

    def told(self, name: str, train: Ratings, held: Ratings) -> dict[str, float]:
        """Its RMSE, the share of its deviations that is believed, and seconds, under a name."""
        users = train.user_ids.encode(held.user_ids.ids)[held.users].astype(np.int64)
        items = train.item_ids.encode(held.item_ids.ids)[held.items].astype(np.int32)
        asked = np.flatnonzero((users >= 0) & (items >= 0))
        asked = asked[np.argsort(users[asked], kind="stable")]
        guess = self.network.predict(Histories.of(train.by_user), users[asked], items[asked])
        error = np.clip(guess, train.scale.low, train.scale.high) - held.values[asked]
        figures = {"": rms(error), ", share": self.network.share, ", seconds": self.seconds}
        return {name + figure: value for figure, value in figures.items()}


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-1m")
    parser.add_argument("--weights", nargs="*", type=float, default=[1.0, 3.0])
    parser.add_argument("--splits", nargs="*", default=["random", "0.55"], help="random, origins")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    settings = matinee.model("default", device="cpu").settings
    origins = [float(name) for name in args.splits if name != "random"]
    rows = []
    for name, train, held in splits(matinee.load(args.source), origins):
        if "random" in name and "random" not in args.splits:
            continue
        train = train.compact()
        alone = Fit.of(train, settings)
        items = Fit.of(train, settings.replace({"rows": "items"}), alone.held)
        teacher = Teacher.of(items.run, alone.run.known, train.scale)
        row: dict[str, Any] = {"split": name} | alone.told("default", train, held)
        row |= items.told("over items", train, held)
        for weight in args.weights:
            taught = Fit.of(train, settings, alone.held, teacher, weight)
            row |= taught.told(f"taught, weight {weight:g}", train, held)
        rows.append(row)
        if not args.json:
            print(line(row), flush=True)
    if args.json:
        print(json.dumps({"source": args.source, "rows": rows}))


if __name__ == "__main__":
    main()
