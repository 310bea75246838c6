"""The model battery of ``matinee.testing``, with accuracy bounds on real ratings.

@pytest.mark.parametrize("case", CASES, ids=str)
class TestMyModel(Battery): ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from matinee.data import Ratings, Scale
from matinee.models import Recommender
from matinee.testing import ModelBattery, ModelCase


@dataclass(frozen=True)
class Case(ModelCase):
    """A model of this package.

    Attributes:
        make_real: The model for the bound on real data; ``make`` by default.
        bound: RMSE it must reach on ml-100k u1, or None for no such test.
        above: RMSE that only leaked test ratings could reach there.
    """

    make_real: Callable[[], Recommender] | None = None
    bound: float | None = None
    above: float = 0.85


class Battery(ModelBattery):
    """The battery, and a bound on real ratings."""

    @pytest.mark.slow
    def test_real_ratings_within_bounds(self, case: Case, real_data: Callable[[str], Path]) -> None:
        if case.bound is None:
            pytest.skip(f"no bound is set for {case.name}")
        train, test = u1(real_data("ml-100k"))
        make = case.make_real or case.make
        result = make().fit(train, seed=0).evaluate(test)
        assert case.above < result.rmse <= case.bound
        assert result.overlap.count == 0
        assert result.n_test == 20_000


@lru_cache
def u1(folder: Path) -> tuple[Ratings, Ratings]:
    """The first canonical split of MovieLens-100K."""
    parts = []
    for name in ("u1.base", "u1.test"):
        rows = np.loadtxt(folder / name)
        users, items = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
        parts.append(Ratings.from_arrays(users, items, rows[:, 2], scale=Scale(1, 5), name=name))
    return parts[0], parts[1]
