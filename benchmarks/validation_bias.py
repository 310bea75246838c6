"""How much the teachers' shrinkage lowers the validation RMSE of ``default``.

    python benchmarks/validation_bias.py [--source ml-100k/u1] [--seeds 4]

The teachers' shrinkage is fitted on the validation part, and reaches the network that is scored on
the same part. Here that part is halved at random. With the same teachers two networks are trained:
for one the shrinkage was fitted on the first half, for the other on the second. Printed is by how
much lower the RMSE of a half is where it had fitted the shrinkage itself, for predictions by the
network and by stored codes. A shrinkage that is fitted on the whole part, twice as large,
has about half of that. Training ratings of the source alone are read.
"""

from __future__ import annotations

import argparse

import numpy as np

from matinee.base.arrays import Float64, Mask
from matinee.data import Ratings, named_split
from matinee.models import Settings, preset
from matinee.models.networks._rows import entry_order
from matinee.models.networks.trainer import Trainer
from matinee.models.presets import settings_hash
from matinee.train import Holdout, RunContext, fit_shrinkage, part, seed_of
from rolling_origin import rms


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-100k/u1")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, help="by default the preset's")
    args = parser.parse_args()
    train, _ = named_split(args.source)
    more = {} if args.epochs is None else {"epochs": args.epochs}
    settings = preset("default").replace(more)
    print(f"{args.source}, default {settings_hash(settings)}: RMSE that is too low by")
    print("seed  network  stored codes")
    found = []
    for seed in range(args.seeds):
        found.append(differences(train, settings, seed))
        print(f"{seed:4}  {found[-1][0]:7.4f}  {found[-1][1]:12.4f}", flush=True)
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found)) if len(found) > 1 else [np.nan] * 2
    mean = np.mean(found, axis=0)
    print(f"mean  {mean[0]:7.4f}  {mean[1]:12.4f}\nerror {error[0]:7.4f}  {error[1]:12.4f}")


def differences(train: Ratings, settings: Settings, seed: int) -> Float64:
    """By how much lower a half's RMSE is where it fitted the shrinkage, shape (2,)."""
    first = Trainer(train, settings, seed, RunContext())
    first.train_teachers(seed_of(seed, 0))
    assert first.held is not None
    half = np.random.default_rng([seed, 1]).random(len(train)) < 0.5
    assert first.run.valid is not None
    order = entry_order(train.by_user)
    values, inside = first.run.valid.values, half[order][first.held[order]]
    scores = np.empty((2, 2, 2))  # which half fitted, what predicts, which half is scored
    for which, mask in enumerate((half, ~half)):
        student = Trainer(train, settings, seed, RunContext(), held=first.held)
        student._teachers = first._teachers
        for teacher in first._teachers:
            fit_on(teacher, train, first.held & mask)
        student.distill_from([teacher.as_teacher() for teacher in first._teachers])
        student.fit()
        for what, stored in enumerate((False, True)):
            wrong = student.validation_predictions(stored=stored) - values
            scores[which, what] = rms(wrong[inside]), rms(wrong[~inside])
    return ((scores[1, :, 0] - scores[0, :, 0]) + (scores[0, :, 1] - scores[1, :, 1])) / 2


def fit_on(teacher: Trainer, train: Ratings, held: Mask) -> None:
    """Fit the shrinkage of a trained teacher on these ratings."""
    run = teacher.run
    rows = train.by_item if teacher.settings.network.rows == "items" else train.by_user
    _, out = part(rows, held)
    some = Holdout.of(out, train.scale.low, train.scale.high)
    with run.threads():
        teacher._shrinkage = fit_shrinkage(run.network, run.inputs, run.known, some)


if __name__ == "__main__":
    main()
