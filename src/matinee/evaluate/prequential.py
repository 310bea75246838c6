"""Two models compared on the same ratings, with histories that grow."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float64, Int64
from ..data import Histories, Ratings
from ._evaluate import Scored
from ._test_batches import prequential
from .metrics import ErrorSums
from .statistics.paired import Gain, paired_gain

Shown = tuple[Histories, Int64]
"""Histories in a model's items, and the row of each test user in them; -1 for none."""


def prequential_gain(
    before: Scored, after: Scored, test: Ratings, shown: tuple[Shown, Shown], *, seed: int = 0
) -> Gain:
    """How much lower the RMSE of the second model is, each rating known once it is scored.

    Args:
        before: The first model.
        after: The second.
        test: Ratings with times that neither was trained on.
        shown: What each is shown of the people at first.
        seed: Seeds the bootstrap over users.

    Raises:
        DataError: The test ratings have no times.
    """
    sums = []
    for model, (histories, rows) in zip((before, after), shown, strict=True):
        each = ErrorSums.zeros(test.n_users, 1)
        items = model.item_ids.encode(test.item_ids.ids)
        for batch in prequential(test, histories, rows, items):
            predicted = model.predict_coded(batch.histories, batch.rows, batch.items)
            each.add(batch.users, (predicted - batch.values)[:, None])
        sums.append(each)
    one, two = sums
    both = {name: np.hstack([one.sums[name], two.sums[name]]) for name in one.sums}
    return paired_gain(ErrorSums(one.counts, both), np.random.default_rng(seed))


def prequential_predictions(
    model: Scored, test: Ratings, histories: Histories, rows: Int64
) -> Float64:
    """The prediction of each rating from all that its person gave before it.

    Args:
        model: The model.
        test: Ratings with times.
        histories: What the model is shown of the people at first, in its items.
        rows: The row in it of each user code of ``test``; -1 for none.

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
