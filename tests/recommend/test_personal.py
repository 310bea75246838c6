"""Lists ordered more or less by what a person's own ratings add."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matinee.data import Histories
from matinee.errors import UsageError
from matinee.models import Bias, Recommender, model
from matinee.recommend import personalised
from matinee.testing import sample

ROWS = np.array([[0.9, 0.5, 0.3, -0.2], [0.1, 0.2, 0.0, 0.4]], dtype=np.float32)
USUAL = np.array([[1.0, 0.4, 0.0, 0.6]], dtype=np.float32)


@pytest.mark.parametrize("personal", [-1.0, 0.3, 1.0])
def test_the_formula(personal: float) -> None:
    ratings = ROWS.astype(float) - personal * (USUAL - USUAL.mean())
    np.testing.assert_allclose(personalised(ROWS, USUAL, personal, True), ratings, rtol=1e-6)
    result = personalised(ROWS, USUAL, personal, False)
    share = (USUAL + USUAL.mean()) / (USUAL + USUAL.mean()).max()
    wanted = np.where(ROWS > 0, ROWS / share.astype(float) ** personal, ROWS)
    np.testing.assert_allclose(result, wanted, rtol=1e-5)
    assert result.dtype == np.float32
    logits = personalised(ROWS, USUAL, personal, False, logits=True)
    np.testing.assert_allclose(logits, ROWS - personal * np.log(share), rtol=1e-5)
    no_history = personalised(ROWS, np.zeros_like(USUAL), personal, False)
    np.testing.assert_allclose(no_history, ROWS)


@pytest.fixture(scope="module")
def fitted() -> Recommender:
    return model("biased-mf", factors=3, sweeps=2, interest="linear").fit(sample(), seed=0)


def test_more_like_me_lists_what_fewer_people_chose(fitted: Recommender) -> None:
    ratings = sample()
    counts = np.bincount(ratings.items, minlength=ratings.n_items)
    shown = []
    for personal in (-1.0, 0.0, 1.0):
        items = fitted.recommend(users=ratings.user_ids.ids[:20], k=5, love=0.0, personal=personal)[
            "item_id"
        ]
        shown.append(counts[ratings.item_ids.encode(items)].mean())
    assert shown[0] > shown[1] > shown[2]


def test_logits_of_networks_are_no_ratios() -> None:
    """Their order does not depend on a constant, whatever its sign."""
    made = model("recvae", **{"lists.recvae.rounds": 1, "lists.recvae.hidden": 4})
    data = sample()
    made.fit(replace(data, values=np.ones_like(data.values), implicit=True), progress=False)
    assert made.histories is not None
    people = made.histories.take([0, 1])
    usual = made.rank_scores_coded(Histories.build([([], [])]))
    plain, personal_scores = (made.rank_scores_coded(people, None, each) for each in (0.0, 0.5))
    share = (usual + usual.mean()) / (usual + usual.mean()).max()
    np.testing.assert_allclose(personal_scores, plain - 0.5 * np.log(share), rtol=1e-4, atol=1e-5)
    no_history = made.rank_scores_coded(Histories.build([([], [])]), None, 0.5)
    np.testing.assert_allclose(no_history, usual / np.sqrt(share), rtol=1e-4)


def test_by_rating_alone_a_bias_model_has_nothing_personal_but_a_constant() -> None:
    made = Bias().fit(sample())
    one = {sample().item_ids.ids[0]: 5.0}
    flat, usual = (
        made.recommend([one], k=5, personal=personal, love=np.inf)["score"]
        for personal in (1.0, 0.0)
    )
    assert np.ptp(flat) < 1e-4 < np.ptp(usual)


@pytest.mark.parametrize("wrong", [1.5, float("nan"), True, "a"])
def test_other_values_are_refused(fitted: Recommender, wrong: Any) -> None:
    with pytest.raises(UsageError, match="personal must be a number from -1 to 1"):
        fitted.recommend(users=fitted.user_ids.ids[:1], personal=wrong)
