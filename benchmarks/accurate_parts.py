"""What the networks of ``accurate`` are worth, one by one and together.

    python benchmarks/accurate_parts.py [--split ml-1m-seed-split | ml-100k/u1] [--only NAME ...]

Ensembles are trained on nine tenths of the split's *training* part and scored on the last tenth;
its test part is not read. One seed. Of each: the RMSE of its blend, of each network alone, of the
blend for people who were held out, and the seconds of all of ``fit``.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import matinee
from matinee.data import Histories, named_split
from matinee.models import preset
from rolling_origin import rms

Members = list[dict[str, Any]]
ITEMS = {"set": {"rows": "items", "teacher": "none"}}
STUDENT_ITEMS = {"set": {"rows": "items", "teacher_weight": 1.0}}
USERS = {"set": {"teacher": "none"}}
ENSEMBLES: dict[str, Members] = {
    "accurate": [],
    "no students: users, 3 over items": [USERS, {**ITEMS, "copies": 3}],
    "no users without a teacher": [{**ITEMS, "copies": 2}, {}, STUDENT_ITEMS],
    "no student over items": [{**ITEMS, "copies": 2}, {}, USERS],
    "no student over users": [{**ITEMS, "copies": 2}, USERS, STUDENT_ITEMS],
    "one over items": [ITEMS, {}, STUDENT_ITEMS, USERS],
    "two students over items": [{**ITEMS, "copies": 2}, {}, {**STUDENT_ITEMS, "copies": 2}, USERS],
}


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--split", default="ml-1m-seed-split")
    parser.add_argument("--only", nargs="*", choices=ENSEMBLES, default=list(ENSEMBLES))
    args = parser.parse_args()
    train, _ = named_split(args.split)
    train, held = matinee.split(train, holdout=0.1, seed=7)
    train = train.compact()  # so that codes are the models' own
    users = train.user_ids.encode(held.user_ids.ids)[held.users].astype(np.int64)
    items = train.item_ids.encode(held.item_ids.ids)[held.items].astype(np.int32)
    known = (users >= 0) & (items >= 0)
    users, items, wanted = users[known], items[known], held.values[known]
    order = np.argsort(users, kind="stable")
    users, items, wanted = users[order], items[order], wanted[order]

    def rmse(predicted: np.ndarray) -> float:
        return rms(np.clip(predicted, train.scale.low, train.scale.high) - wanted)

    for name in args.only:
        settings = preset("accurate")
        if ENSEMBLES[name]:
            settings = settings.make({**settings.model_dump(), "members": ENSEMBLES[name]}, name)
        begun = time.perf_counter()
        model = matinee.Ensemble(settings=settings, device="cpu").fit(train, seed=0)
        seconds = time.perf_counter() - begun
        given = Histories.of(train.by_user)
        base, deviations, weights = model._deviations(given, users, items)
        blend = base + (weights * deviations).sum(axis=0)
        new, _, _ = model._deviations(Histories.of(train.by_user, known=False), users, items)
        met = new + model.new @ deviations
        alone = " ".join(f"{rmse(base + each):.4f}" for each in deviations)
        print(
            f"{name:30} {rmse(blend):.4f}  each {alone}  as if new {rmse(met):.4f}  "
            f"{seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
