"""What centring a row's outputs, and scaling them by its length, is worth (``RowOutputs``).

    python benchmarks/row_outputs.py [--source ml-1m] [--json]

One network of ``default`` a split, trained once and asked in several ways: as it is, without the
slope by a row's length, without centring, and with neither; beside it the bias model, biased-mf,
and the plain mean of that and ``default``. The last fifth of the ratings by time is not read.
Within the rest the splits are a tenth at random, and three of ``rolling_origin.py``. Then a tenth
of the people is left out of training, and the same 20 ratings of each are predicted from few of
their others: with the slope as it is, carried on to the shortest rows as well, and without.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np

import matinee
from matinee.data import Histories, Ratings, split_users
from matinee.nn import RowOutputs, row_scale
from rolling_origin import SPARE, line, rms, splits

ORIGINS = (0.55, 0.65, 0.75)
GIVEN = (1, 2, 3, 5, 10, 20, 40)
ASKED = 20
WAYS = {
    "as it is": {},
    "no slope": {"slope": 0.0},
    "not centred": {"reg": -1.0},
    "neither": {"slope": 0.0, "reg": -1.0},
}


class CarriedOn(RowOutputs):
    """A slope that goes on below 20 ratings."""

    def scale(self, counts: np.ndarray) -> np.ndarray:
        """As ``RowOutputs.scale``."""
        logs = np.log(np.maximum(counts, 1)) - self.pivot
        return row_scale(logs, self.slope).astype(np.float32)


def scored(train: Ratings, held: Ratings) -> dict[str, float]:
    """RMSE of every way and of the rivals."""
    asked = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
    model = matinee.Autoencoder("default", device="cpu").fit(train, seed=0)
    fitted = model.inputs
    predictions = {}
    for name, changes in WAYS.items():
        model._trained.inputs = replace(fitted, outputs=replace(fitted.outputs, **changes))
        predictions[name] = model.predict(*asked)
    predictions["bias"] = matinee.Bias().fit(train).predict(*asked)
    predictions["biased-mf"] = matinee.model("biased-mf").fit(train, seed=0).predict(*asked)
    predictions["mean with biased-mf"] = (predictions["as it is"] + predictions["biased-mf"]) / 2
    errors = {name: rms(guess - held.values) for name, guess in predictions.items()}
    return {**errors, "mean error": float((predictions["neither"] - held.values).mean())} | {
        "slope": fitted.outputs.slope,
        "share": model.shrinkage,
    }


def few(ratings: Ratings) -> list[dict[str, Any]]:
    """RMSE by how many ratings are given of people that the network was not trained on."""
    before, _ = matinee.split(ratings, holdout=SPARE, by="time")
    parts = split_users(before, 0.1, 0, given=0.01)
    model = matinee.Autoencoder("default", device="cpu").fit(parts.train, seed=0)
    fitted, rng = model.inputs, np.random.default_rng(0)
    theirs, items = parts.scored.by_user, model.item_ids.encode(parts.scored.item_ids.ids)
    people = []
    for first, last in zip(theirs.indptr[:-1], theirs.indptr[1:], strict=True):
        codes, values = items[theirs.indices[first:last]], theirs.values[first:last]
        order = rng.permutation(np.flatnonzero(codes >= 0))[: max(GIVEN) + ASKED]
        if len(order) == max(GIVEN) + ASKED:
            people.append((codes[order], values[order]))
    rows = np.repeat(np.arange(len(people)), ASKED)
    asked = np.concatenate([codes[-ASKED:] for codes, _ in people]).astype(np.int32)
    wanted = np.concatenate([values[-ASKED:] for _, values in people])
    carried = CarriedOn(**fitted.outputs.as_dict())
    ways = {
        "as it is": fitted.outputs,
        "carried on": carried,
        "no slope": replace(fitted.outputs, slope=0.0),
    }
    found = []
    for given in GIVEN:
        who = Histories.build([(codes[:given], values[:given]) for codes, values in people])
        row: dict[str, Any] = {"given": given, "people": len(people)}
        for name, outputs in ways.items():
            model._trained.inputs = replace(fitted, outputs=outputs)
            row[name] = rms(model._trained.predict(who, rows, asked) - wanted)
        row["bias"] = rms(model.bias.predict(who, rows, asked) - wanted)
        found.append(row)
    return found


def main() -> None:
    """Train, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-1m")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    ratings = matinee.load(args.source)
    table = [{"split": name, **scored(*parts)} for name, *parts in splits(ratings, ORIGINS)]
    short = few(ratings)
    if args.json:
        print(json.dumps({"source": args.source, "splits": table, "few": short}))
        return
    for row in table + short:
        print(line(row))


if __name__ == "__main__":
    main()
