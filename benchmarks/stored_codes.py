"""The settings of ``default`` that were chosen on 2026-11-28: teachers, epochs, rate, stored codes.

    python benchmarks/stored_codes.py [--source ml-100k/u1] [--holdout 0.1] [--seed 100]

The source is a split, of which the *training* part alone is read, or a data set, of which a tenth
is left out as its test part first. A share of the rest is held out, and each of the settings is
trained on what is left and scored on that share: new people's predictions (the network), the mean
of its teachers, and known people's predictions by stored codes with several weights of the
network's own.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import matinee
from matinee.data import Histories, named_split
from matinee.models import preset
from matinee.models.networks import _stored
from matinee.models.networks._stored import StoredCodes
from matinee.models.networks.trainer import Trainer
from matinee.train import RunContext, seed_of
from rolling_origin import rms

SETTINGS: dict[str, dict[str, Any]] = {
    "before: 1 teacher, 60 epochs, 4e-3": {"epochs": 60, "learning_rate": 4e-3, "teachers": 1},
    "1 teacher": {"teachers": 1},
    "2 teachers, 60 epochs, 4e-3": {"epochs": 60, "learning_rate": 4e-3},
    "2 teachers (default)": {},
    "3 teachers": {"teachers": 3},
    "2 teachers, 100 epochs": {"epochs": 100},
    "2 teachers of half the epochs": {"teacher_epochs": 0.5},
}


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-100k/u1")
    parser.add_argument("--holdout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--only", nargs="*", choices=SETTINGS, default=list(SETTINGS))
    args = parser.parse_args()
    if "/" in args.source or args.source.endswith("-split"):
        train, _ = named_split(args.source)
    else:
        train, _ = matinee.split(matinee.load(args.source), holdout=0.1, seed=0)
    train, held = matinee.split(train, holdout=args.holdout, seed=args.seed)
    train = train.compact()
    users = train.user_ids.encode(held.user_ids.ids)[held.users].astype(np.int64)
    items = train.item_ids.encode(held.item_ids.ids)[held.items].astype(np.int32)
    order = np.argsort(users, kind="stable")
    order = order[(users[order] >= 0) & (items[order] >= 0)]
    users, items, wanted = users[order], items[order], held.values[order]
    histories = Histories.of(train.by_user)

    def rmse(predicted: np.ndarray) -> float:
        return rms(np.clip(predicted, train.scale.low, train.scale.high) - wanted)

    for name in args.only:
        settings = preset("default").replace({**SETTINGS[name], "known_codes": "encoded"})
        begun = time.process_time()
        trainer = Trainer(train, settings, args.seed, RunContext())
        trainer.train_teachers(seed_of(args.seed, 0))
        trainer.fit()
        fitted = trainer.finish()
        seconds = time.process_time() - begun
        teachers = [each.as_teacher(whole=True) for each in trainer._teachers]
        answers = [
            np.einsum("ij,ij->i", each.vectors[items], each.table[users])
            + (each.bias + each.offset)[users]
            + each.added[items]
            for each in teachers
        ]
        network = rmse(fitted.predict(histories, users, items))
        stored = []
        for _stored.OWN in (0.4, 0.5, 0.6):
            codes = StoredCodes.fit(fitted.forward, train.by_user, teachers)
            forward = codes.forward(fitted.forward)
            stored.append(rmse(forward.entries_of(codes.codes, codes.added, users, items)))
        scores = " ".join(f"{each:.4f}" for each in stored)
        print(
            f"{name:36} network {network:.4f}  teachers {rmse(np.mean(answers, axis=0)):.4f}  "
            f"stored, own 0.4 0.5 0.6: {scores}  {seconds:.0f} s of CPU",
            flush=True,
        )


if __name__ == "__main__":
    main()
