"""What the second of a rating predicts of it."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data import Ratings, audit
from matinee.data.leaks.same_second import same_second


def ratings(values: list[float], times: list[int] | None, users: int = 2) -> Ratings:
    n = len(values)
    return Ratings.from_arrays(
        np.arange(n) % users, np.arange(n) // users, np.array(values), times=times
    )


def test_groups_and_their_means() -> None:
    """Person 0 rates at 1, 1, 2, 3; person 1 at 1, 5, 5, 5: seconds are counted by person."""
    shares = same_second(ratings([4, 1, 5, 3, 2, 3, 2, 3], [1, 1, 1, 5, 2, 5, 3, 5]))
    assert shares is not None
    assert shares.counts == (3, 2, 3, 0)
    assert shares.means == (pytest.approx(5 / 3), 4.5, 3.0, None)
    assert shares.shared == 5 / 8


@pytest.mark.parametrize(("informative", "low", "high"), [(True, 0.5, 1.0), (False, 0.0, 0.004)])
def test_explained(informative: bool, low: float, high: float) -> None:
    """Ratings of 4 in pairs and of 2 alone, with noise; and the same values in any second."""
    rng = np.random.default_rng(0)
    values = np.tile([4.0, 4.0, 2.0], 400) + rng.normal(0, 0.3, 1200)
    times = np.tile([0, 0, 1], 400) + 10 * (np.arange(1200) // 3)
    if not informative:
        values = rng.permutation(values)
    shares = same_second(
        Ratings.from_arrays(np.arange(1200) // 60, np.arange(1200) % 60, values, times=times)
    )
    assert shares is not None
    assert low <= shares.explained <= high


def test_without_times_and_with_equal_ratings() -> None:
    assert same_second(ratings([1, 2, 3, 4], None)) is None
    shares = same_second(ratings([3, 3, 3, 3], [1, 1, 1, 2]))
    assert shares is not None
    assert (shares.explained, shares.shared) == (0.0, 0.5)


def test_audit_measures_the_training_ratings() -> None:
    train = ratings([4, 1, 5, 3, 2, 3, 2, 3], [1, 1, 1, 5, 2, 5, 3, 5])
    checked = audit(train, ratings([4, 1], [9, 9]))
    assert checked.same_second == same_second(train)
    assert checked.as_dict()["same_second"]["counts"] == (3, 2, 3, 0)
    assert audit(ratings([4, 1, 2, 3], None), train).same_second is None
