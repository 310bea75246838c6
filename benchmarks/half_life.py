"""Half-lives of ratings, scored by time at rolling origins.

    python benchmarks/half_life.py [SOURCE] [--preset default] [--origins 0.5 0.6 0.7]

The ratings are put in order of time. A model is trained on the first share with each half-life (0:
no weights) and scored on the tenth that follows: RMSE of the bias model, RMSE of the model, with
histories as they were and growing (``evaluate --update``), and nDCG@10 of its lists. With
``--preset bias`` the bias model alone. The last fifth of the ratings is not read.
"""

from __future__ import annotations

import argparse

import numpy as np

import matinee
from _by_time import ByTime
from matinee.baseline.bias import fit_bias
from matinee.data import Histories, Ratings
from matinee.data.values.weights import weighted_by_age
from matinee.errors import DataError

STEP = 0.1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", default="ml-1m")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--origins", type=float, nargs="*", default=[0.5, 0.6, 0.7])
    parser.add_argument("--days", type=float, nargs="*", default=[0, 180, 365, 1000])
    options = parser.parse_args()
    part = ByTime(options.source).part
    parts = [(part(0, start).compact(), part(start, start + STEP)) for start in options.origins]
    print("half-life  bias    RMSE    growing  nDCG@10   (means of the origins)")
    for days in options.days:
        rows = [scores(options.preset, days, *each) for each in parts]
        means = "  ".join(f"{value:.4f}" for value in np.mean(rows, axis=0))
        print(f"{days or 'none':<9}  {means}", flush=True)


def scores(preset: str, days: float, train: Ratings, test: Ratings) -> list[float]:
    """RMSE of the bias model; then RMSE, that of growing histories, and nDCG@10."""
    bias = fit_bias(weighted_by_age(train, days))
    users = train.user_ids.encode(test.user_ids.ids)[test.users].astype(np.int64)
    items = train.item_ids.encode(test.item_ids.ids)[test.items]
    predicted = bias.predict(Histories.of(train.by_user), users, items)
    predicted = np.clip(predicted, train.scale.low, train.scale.high)
    rmse = float(np.sqrt(np.mean(np.square(predicted - test.values))))
    if preset == "bias":
        return [rmse]
    model = matinee.model(preset, half_life=days).fit(train, seed=0, progress=False)
    try:
        lists = model.evaluate_lists(test, k=10, baselines=[]).summary()["ndcg@10"]
    except DataError:  # nobody known is in the test part
        lists = float("nan")
    growing = model.evaluate(test, update=True)
    return [rmse, model.evaluate(test).rmse, growing.rmse, lists]


if __name__ == "__main__":
    main()
