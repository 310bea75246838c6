"""Prequential comparison of two models on the same ratings."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float64, Int64
from ..data import Histories, Ratings
from ._evaluate import Scored
from ._test_batches import prequential
from .metrics import ErrorSums
from .statistics.paired import Gain, paired_gain

Shown = tuple[Histories, Int64]
"""Histories in a model's item codes, and the row of each test user in them; -1 for none."""


def prequential_gain(
    before: Scored, after: Scored, test: Ratings, shown: tuple[Shown, Shown], *, seed: int = 0
) -> Gain:
    """Compare the RMSE of two models, adding each rating to the history once it is scored.

    Args:
        before: The first model.
        after: The second.
        test: Ratings with times that neither was trained on.
        shown: Initial histories for each model.
        seed: Seeds the bootstrap over users.

    Raises:
        DataError: The test ratings have no times.
    """
    sums = []
    for model, (histories, rows) in zip((before, after), shown, strict=True):
        errors = ErrorSums.zeros(test.n_users, 1)
        items = model.item_ids.encode(test.item_ids.ids)
        for batch in prequential(test, histories, rows, items):
            predicted = model.predict_coded(batch.histories, batch.rows, batch.items)
            errors.add(batch.users, (predicted - batch.values)[:, None])
        sums.append(errors)
    first, second = sums
    joined = {name: np.hstack([first.sums[name], second.sums[name]]) for name in first.sums}
    return paired_gain(ErrorSums(first.counts, joined), np.random.default_rng(seed))


def prequential_predictions(
    model: Scored, test: Ratings, histories: Histories, rows: Int64
) -> Float64:
    """Predict each rating from all earlier ratings of its user.

    Args:
        model: The model.
        test: Ratings with times.
        histories: Initial histories, in the model's item codes.
        rows: The row in ``histories`` of each user code of ``test``; -1 for none.

    Returns:
        float64 (n,), in the order of ``test``.

    Raises:
        DataError: The ratings have no times.
    """
    items = model.item_ids.encode(test.item_ids.ids)
    batches = [
        model.predict_coded(batch.histories, batch.rows, batch.items)
        for batch in prequential(test, histories, rows, items)
    ]
    predictions = np.empty(len(test))
    assert test.times is not None
    predictions[np.lexsort((test.times, test.users))] = np.concatenate(batches)
    return predictions
