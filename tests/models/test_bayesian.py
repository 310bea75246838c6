"""The Bayesian factorisation machine through the shared battery, and what only it does."""

from __future__ import annotations

from functools import partial

import pytest
from battery import Battery, Case

from matinee.models import BayesianFM
from matinee.testing import fitted

QUICK = partial(BayesianFM, rank=3, sweeps=60, burn_in=20, samples=15)
CASES = [
    Case(
        "bayesian",
        QUICK,
        learns=True,
        make_real=partial(BayesianFM, sweeps=60, burn_in=20, samples=20),
        bound=0.91,
    ),
    Case("normal", partial(QUICK, likelihood="normal"), learns=True),
    Case("ids alone", partial(QUICK, implicit=False), learns=True),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestBayesianFM(Battery):
    pass


def test_a_saved_model_grows_with_items_and_not_with_users() -> None:
    arrays = fitted(CASES[0])._state()[0]
    assert sum(array.nbytes for array in arrays.values()) < 15 * (40 * (4 * 3 + 8) + 200)
    assert all(60 not in array.shape for array in arrays.values())
