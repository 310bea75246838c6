"""Ways to an RMSE, against the same by hand."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data import Ratings, Scale, split
from matinee.errors import UsageError
from matinee.evaluate.protocols import PROTOCOLS, protocols
from matinee.lab.study.runs._run import user_mean_rmse
from matinee.models import Bias, ItemMean
from matinee.synth import synthesize


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    train, test = split(synthesize(90, 50, 2500, seed=3).ratings, 0.2, by="user")
    return train, test.take(test.users != 7)  # a user without test ratings


def test_each_formula_by_hand(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    model = Bias().fit(train)
    model.clip = False
    scores = protocols(model, train, test)
    assert set(scores) == set(PROTOCOLS)
    users = test.user_ids.ids[test.users]
    items = test.item_ids.ids[test.items]
    guess = model.predict(users, items)
    actual = test.values.astype(np.float64)

    def root(predicted: np.ndarray) -> float:
        return float(np.sqrt(np.mean((predicted - actual) ** 2)))

    assert scores["global"] == pytest.approx(root(guess), rel=1e-12)
    assert scores["unclipped"] == scores["global"]
    low, high = model.scale.low, model.scale.high
    assert scores["clipped"] == pytest.approx(root(guess.clip(low, high)), rel=1e-12)
    assert scores["rounded"] == pytest.approx(root(np.round(guess.clip(low, high))), rel=1e-12)
    mean_squares = [
        np.mean((guess[users == u] - actual[users == u]) ** 2) for u in np.unique(users)
    ]
    assert scores["user_mean"] == pytest.approx(np.mean(np.sqrt(mean_squares)), rel=1e-12)
    assert scores["user_root_mean"] == pytest.approx(np.sqrt(np.mean(mean_squares)), rel=1e-12)
    predictions = model.predict(train.user_ids.ids[train.users], train.item_ids.ids[train.items])
    assert scores["training"] == pytest.approx(
        np.sqrt(np.mean((predictions - train.values) ** 2)), rel=1e-6
    )


def test_misaligned_pairs_test_users_with_trained_users_by_position(
    parts: tuple[Ratings, Ratings],
) -> None:
    train, test = parts
    model = Bias().fit(train)
    scores = protocols(model, train, test)
    trained, scored = np.unique(train.users), np.unique(test.users)
    partner = dict(zip(scored.tolist(), trained[: len(scored)].tolist(), strict=True))
    assert partner[6] == 6
    assert partner[8] == 7  # everybody after the user without test ratings meets another
    met = np.array([partner[user] for user in test.users.tolist()])
    guess = model.predict(train.user_ids.ids[met], test.item_ids.ids[test.items])
    assert scores["misaligned"] == pytest.approx(
        float(np.sqrt(np.mean((guess - test.values) ** 2))), rel=1e-12
    )
    assert scores["misaligned"] > scores["global"]
    # A model that does not look at the user does not mind.
    items = protocols(ItemMean().fit(train), train, test)
    assert items["misaligned"] == items["global"]


def test_clipping_is_the_models_own_in_all_but_what_says_otherwise(
    parts: tuple[Ratings, Ratings],
) -> None:
    train, test = parts
    scores = protocols(Bias(user_reg=0.0, item_reg=0.0).fit(train), train, test)
    assert scores["global"] == scores["clipped"] < scores["unclipped"]


def test_nobody_known_is_refused(parts: tuple[Ratings, Ratings]) -> None:
    train, _ = parts
    strangers = Ratings.from_arrays(["x", "y"], ["p", "q"], [1.0, 2.0])
    with pytest.raises(UsageError, match="no rating of a known user"):
        protocols(ItemMean().fit(train), train, strangers)


def test_the_user_mean_by_hand() -> None:
    scale = Scale(1.0, 5.0)
    train = Ratings.from_arrays([1, 1, 2], [1, 2, 1], [2.0, 4.0, 5.0], scale=scale)
    test = Ratings.from_arrays([1, 2, 3], [3, 3, 3], [3.0, 4.0, 1.0], scale=scale)
    # user 1: 3, user 2: 5, an unknown user: the mean of all, 11/3
    wanted = np.sqrt((0.0**2 + 1.0**2 + (11 / 3 - 1.0) ** 2) / 3)
    assert user_mean_rmse(train, test) == pytest.approx(wanted, rel=1e-12)
