"""What distillation gains for ``default``, and what it costs.

    python benchmarks/distillation.py [--splits random 0.55 ml-100k/u1 ml-latest-small] [--only
NAME ...]
        [--json]

``default`` learns, beside its ratings, what the same network with items as rows predicts at drawn
items
(``teacher = "transposed"``). Variants of it are trained and scored on ratings held out of
training
sets: a random tenth of the first four fifths of MovieLens-1M by time; the twentieth from 0.55 by
time on, people who came back, as in ``rolling_origin.py``; a tenth of the training part of a split
that has a name; or of nine tenths of a data set. The test parts of the leaderboard's
ml-1m-time and ml-100k-u1 are not read; of those of its random splits of the same data a share is
trained on and scored (``choice_read`` and ``choice_scored`` in lab/studies/leaderboard.toml). One
seed; seconds are of all of ``fit``.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import matinee
from matinee.data import Ratings, named_split
from rolling_origin import line, rms, splits

VARIANTS: dict[str, dict[str, Any]] = {
    "no teacher": {"teacher": "none"},
    "default": {},
    "weight 1": {"teacher_weight": 1.0},
    "weight 3": {"teacher_weight": 3.0},
    "teacher as long": {"teacher_epochs": 1.0},
    "teacher half as long": {"teacher_epochs": 0.333},
    "learning rate 6e-3": {"learning_rate": 6e-3},
    "not centred": {"center_output": False},
    "the teacher itself": {"teacher": "none", "rows": "items", "epochs": 40},
    "the teacher, not centred": {
        "teacher": "none",
        "rows": "items",
        "epochs": 40,
        "center_output": False,
    },
}


def parts(name: str) -> tuple[Ratings, Ratings]:
    """What to train on and what to score on."""
    if name == "random" or name.startswith("0."):
        origins = [] if name == "random" else [float(name)]
        *_, (_, train, held) = splits(matinee.load("ml-1m"), origins)
        return train, held
    if "/" in name:
        train, _ = named_split(name)
    else:
        train, _ = matinee.split(matinee.load(name), holdout=0.1, seed=77)
    return matinee.split(train, holdout=0.1, seed=8)


def main() -> None:
    """Fit, score and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    chosen = ["random", "0.55", "ml-100k/u1", "ml-latest-small"]
    parser.add_argument("--splits", nargs="*", default=chosen)
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    rows = []
    for split in args.splits:
        train, held = parts(split)
        known = train.user_ids.encode(held.user_ids.ids)[held.users] >= 0
        held = held.take(known & (train.item_ids.encode(held.item_ids.ids)[held.items] >= 0))
        asked = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
        for name in args.only:
            begun = time.perf_counter()
            model = matinee.Autoencoder("default", device="cpu", **VARIANTS[name])
            model.fit(train, seed=0)
            spent = time.perf_counter() - begun
            error = model.predict(*asked) - held.values
            row = {"split": split, "variant": name, "RMSE": rms(error), "share": model.shrinkage}
            rows.append({**row, "seconds": spent})
            if not args.json:
                print(line(rows[-1]), flush=True)
    if args.json:
        print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
