from __future__ import annotations

import numpy as np
import pytest

from matinee import Bias, Ratings, Scale
from matinee.evaluate.ranking.charts import popularity_picture


def test_curves_and_popularity_of_lists() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 50)) < np.linspace(0.6, 0.05, 50))
    values = rng.integers(1, 6, len(users))
    whole = Ratings.from_arrays(users, items, values, scale=Scale(1, 5))
    test = rng.random(len(users)) < 0.3
    evaluation = (
        Bias().fit(whole.take(~test)).evaluate_lists(whole.take(test), baselines=["popularity"])
    )
    recall, precision, picture = evaluation.plot.all()
    assert [series.name for series in recall.series] == ["bias", "by popularity"]
    assert recall.series[0].y[9] == pytest.approx(evaluation.value("recall", 10))
    assert precision.series[1].y[9] == evaluation.curves["popularity"].precision[9]
    again = popularity_picture(evaluation.by_popularity, 10)
    assert again is not None
    assert picture.title == again.title
    for series in again.series:
        assert (series.x[0], series.y[0]) == (0, 0)
        assert (series.x[-1], series.y[-1]) == pytest.approx((100, 100))
        assert list(series.y) == sorted(series.y)
    assert "<svg" in picture.svg()
