"""Which networks improve ``accurate-autoencoders``: ensembles of subsets of one training.

    python benchmarks/ensemble_members.py [--data ml-1m | ml-100k/u1 ...] [--seed 0]

The five networks that the preset had until 2026-11-30 and further ones are trained once, on the
training part (of ml-1m nine tenths, drawn by the seed) without a twentieth of it (with fewer than
200,000 ratings, a tenth). Each subset is then blended as the preset blends its members, by the
validation part that all networks share, and scored on the ratings held out. No test rating is
read. Printed are the RMSE, the difference from the five, and its standard error over ratings.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import matinee
from matinee.base.arrays import Float64, Mask
from matinee.data import Histories, Ratings, named_split
from matinee.models import Ensemble, preset

ITEMS = {"rows": "items", "teacher": "none"}
MEMBERS: dict[str, dict[str, Any]] = {
    "items": ITEMS,
    "items, 2": ITEMS,
    "users, distilled": {},
    "items, distilled": {"rows": "items", "teacher_weight": 1.0},
    "users": {"teacher": "none"},
    "ordinal": {**ITEMS, "output": "ordinal"},
    "items, 3": ITEMS,
    "wide": {**ITEMS, "hidden": [1200]},
    "items, distilled, 2": {"rows": "items", "teacher_weight": 1.0},
    "ratings only": {**ITEMS, "input": "ratings"},
    "users, distilled, 2": {},
    "ordinal, 2": {**ITEMS, "output": "ordinal"},
}
FIVE = [["items", "items, 2"], ["users, distilled"], ["items, distilled"], ["users"]]
SUBSETS: dict[str, list[list[str]]] = {
    "the five": FIVE,
    "+ a third over items": [["items", "items, 2", "items, 3"], *FIVE[1:]],
    "+ a second distilled over items": [
        *FIVE[:2],
        ["items, distilled", "items, distilled, 2"],
        FIVE[3],
    ],
    "+ a second distilled over users": [
        FIVE[0],
        ["users, distilled", "users, distilled, 2"],
        *FIVE[2:],
    ],
    "+ one of ratings without presence": [*FIVE, ["ratings only"]],
    "+ an ordinal one": [*FIVE, ["ordinal"]],
    "+ two ordinal ones": [*FIVE, ["ordinal", "ordinal, 2"]],
    "+ one of 1,200 units": [*FIVE, ["wide"]],
    "one of 1,200 for the second": [["items"], ["wide"], *FIVE[1:]],
    "+ one of 1,200, an ordinal one": [*FIVE, ["wide"], ["ordinal"]],
}


class Kept(Ensemble):
    """An ensemble that keeps what its weights are fitted to."""

    fitted_to: tuple[Mask | None, list[Float64]]

    def _weigh(
        self, train: Ratings, held: Mask | None, predicted: list[Float64], copies: list[int]
    ) -> None:
        self.fitted_to = held, predicted
        super()._weigh(train, held, predicted, copies)


def parts(data: str, seed: int) -> tuple[Ratings, Ratings]:
    """The ratings to train on, and those to score on."""
    if data == "ml-1m":
        train, _ = matinee.split(matinee.load(data), holdout=0.1, seed=seed)
    else:
        train, _ = named_split(data)
    return matinee.split(train, holdout=0.05 if len(train) >= 200_000 else 0.1, seed=7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="ml-1m")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, test = parts(options.data, options.seed)
    train = train.compact()  # so that codes are the model's own
    five = preset("accurate-autoencoders").model_dump()
    members = [{"set": changes} for changes in MEMBERS.values()]
    settings = preset("default").make({**five, "members": members}, "members")
    model = Kept(settings=settings, device="cpu").fit(train, seed=options.seed)
    names, members, (held, predicted) = list(MEMBERS), model.members, model.fitted_to

    test_users = train.user_ids.encode(test.user_ids.ids)[test.users].astype(np.int64)
    test_items = train.item_ids.encode(test.item_ids.ids)[test.items].astype(np.int32)
    known = np.flatnonzero((test_users >= 0) & (test_items >= 0))
    known = known[np.argsort(test_users[known], kind="stable")]
    test_users, test_items, wanted = test_users[known], test_items[known], test.values[known]
    asked = Histories.of(train.by_user), test_users, test_items
    base, deviations, _ = model._deviations(*asked)

    def squared_errors(predicted: Float64) -> Float64:
        return np.square(np.clip(predicted, train.scale.low, train.scale.high) - wanted)

    def blended(entries: list[list[str]]) -> Float64:
        chosen = [names.index(name) for entry in entries for name in entry]
        model.members = [members[number] for number in chosen]
        copies = [len(entry) for entry in entries]
        model._weigh(train, held, [predicted[number] for number in chosen], copies)
        base, deviations, weights = model._deviations(*asked)
        return squared_errors(base + (weights * deviations).sum(axis=0))

    print("| networks | RMSE | - the five |\n|---|---|---|")
    for name, deviation in zip(MEMBERS, deviations, strict=True):
        print(f"| {name}, alone | {np.sqrt(squared_errors(base + deviation).mean()):.4f} | |")
    usual = blended(FIVE)
    for name, subset in SUBSETS.items():
        errors = blended(subset)
        rmse, moved = np.sqrt(errors.mean()), errors - usual
        error = moved.std() / np.sqrt(len(moved)) / (2.0 * rmse)
        change = rmse - np.sqrt(usual.mean())
        print(f"| {name} | {rmse:.5f} | {change:+.5f} ± {error:.5f} |")


if __name__ == "__main__":
    main()
