"""The Bayesian factorisation machine through the shared battery, and what only it does."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from battery import Battery, Case

from matinee import UsageError
from matinee.data import Ratings, SideColumns
from matinee.models import BayesianFM, load_model
from matinee.models.update import known_ratings
from matinee.testing import all_pairs, fitted, sample

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
    Case("columns", partial(QUICK, columns=True), learns=True),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestBayesianFM(Battery):
    pass


def test_a_saved_model_grows_with_items_and_not_with_users() -> None:
    arrays = fitted(CASES[0])._state()[0]
    assert sum(array.nbytes for array in arrays.values()) < 15 * (40 * (4 * 3 + 8) + 200)
    assert all(60 not in array.shape for array in arrays.values())


def test_deviations_from_cross_fitting_know_the_user_and_scale_with_the_ratings() -> None:
    """Every rating is held out in some fold; what remains of its user must not count as nothing."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(120 * 40, 2400, replace=False)
    users, items = pairs // 40, pairs % 40
    stars = np.round(3 + rng.normal(0, 1, 2400) * np.linspace(0.3, 1.5, 120)[users]).clip(1, 5)

    def deviations(unit: float) -> np.ndarray:
        data = Ratings.from_arrays(users, items, (stars - 3) * unit)
        model = QUICK().fit(data, seed=0)
        assert model.predictive_variance is not None
        assert model.predictive_variance.source == "cross-fitting"
        return model.predict(range(120), [0] * 120, with_std=True)[1] / unit

    std = deviations(1.0)
    assert std[-30:].mean() > 1.3 * std[:30].mean()
    np.testing.assert_allclose(deviations(5.0), std, rtol=1e-3)


def test_columns_are_those_that_the_data_has() -> None:
    columns = fitted(CASES[3]).side_columns
    assert columns[0] is not None
    assert columns[1] is not None
    assert list(columns[0].columns) == ["language"]  # an age of few people each is nearly a name
    assert list(columns[1].columns) == ["genres"]
    assert columns[0].columns["language"][:4].tolist() == ["", "Danish", "Thai", ""]
    assert columns[1].columns["genres"][:3].tolist() == [(), ("Drama",), ("Drama", "War")]
    named = BayesianFM(**QUICK.keywords, columns="age").fit(sample(), seed=0).side_columns[0]
    assert named is not None
    ages = named.columns["age"]
    assert np.isnan(ages[0])
    assert len(np.unique(ages[~np.isnan(ages)])) == 10  # medians of intervals


def test_columns_of_items_alone_do_not_set_strangers_apart() -> None:
    model = BayesianFM(**QUICK.keywords, columns=("genres",)).fit(sample(), seed=0)
    users, items = all_pairs(sample())
    new = model.predict(users, items, histories=sample())
    assert np.array_equal(model.predict(users, items), new)
    assert model.side_columns[0] is None


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no column 'lanugage'.*did you mean 'language'"):
        BayesianFM(columns=("lanugage",)).fit(sample())
    plain = dataclasses.replace(sample(), user_columns=None, item_table=None)
    with pytest.raises(UsageError, match=r"no column 'age'.*it has none"):
        BayesianFM(columns=("age",)).fit(plain)


def test_people_differ_by_their_columns_and_strangers_have_the_mean(tmp_path: Path) -> None:
    model = fitted(CASES[3])
    users, items = all_pairs(sample())
    known = model.predict(users, items)
    new = model.predict(users, items, histories=sample())
    assert 0.005 < np.abs(known - new).mean() < 0.3
    assert abs(np.mean(known - new)) < 0.02
    model.save(tmp_path / "without", histories=False)
    back = load_model(tmp_path / "without")
    assert np.array_equal(back.predict(users, items, histories=sample()), new)
    assert back.side_columns[0] is None
    assert back.side_columns[1] is not None
    codes = [a for n, a in back._state()[0].items() if "user_columns" in n]
    assert codes
    assert not any(len(each) for each in codes)


def test_an_update_keeps_the_columns_of_others(tmp_path: Path) -> None:
    model = load_model(fitted(CASES[3]).save(tmp_path / "model"))
    before = known_ratings(model)
    assert before.item_table is not None
    new = Ratings.from_arrays([999, 101], ["item-01", "item-02"], [4.0, 2.0])
    new = dataclasses.replace(
        new, user_columns=SideColumns({"language": np.array(["Thai", "Thai"], dtype=object)})
    )
    model.update(new)
    columns = model.side_columns
    assert columns[0] is not None
    assert columns[1] is not None
    expected = sample().user_columns
    assert expected is not None
    kept = columns[0].columns["language"]
    assert kept[2:60].tolist() == expected.columns["language"][2:60].tolist()
    assert kept[1] == "Thai"
    assert kept[60] == "Thai"
    assert list(columns[1].columns) == ["genres"]


def test_damaged_columns_are_refused() -> None:
    arrays, config = fitted(CASES[3])._state()
    for name, wrong in (("codes", np.int32(7)), ("indptr", np.int64(-1))):
        damaged = {**arrays}
        key = f"posterior.user_columns.0.{name}"
        damaged[key] = np.full_like(arrays[key], wrong)
        with pytest.raises(ValueError, match="column language"):
            BayesianFM._restore(damaged, config)
