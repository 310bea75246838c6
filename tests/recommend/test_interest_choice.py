"""Which scorer of interest is fitted, and how a blend and an epoch are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matinee.data import Csr
from matinee.recommend.interest import (
    Blend,
    Interest,
    Linear,
    Network,
    Popularity,
    candidates,
    fit,
    fit_interest,
)
from matinee.recommend.interest.held_out import HeldOut
from matinee.train.linear import LinearConfig
from matinee.train.lists import ListEpoch, ListsConfig

NET = {"hidden": [8, 8], "epochs": 12, "learning_rate": 2e-2}


def groups(people: int = 90, items: int = 30) -> Csr:
    """People of three tastes: each picks 6 items of a third of the catalogue."""
    rng = np.random.default_rng(0)
    third = items // 3
    rows = [np.sort(rng.choice(third, 6, replace=False)) + third * (p % 3) for p in range(people)]
    indices = np.concatenate(rows).astype(np.int32)
    indptr = np.arange(people + 1, dtype=np.int64) * 6
    return Csr(indptr, indices, np.ones(len(indices), np.float32), None, items)


def fitted(**values: Any) -> Interest:
    config = ListsConfig.make({"net": NET, **values})
    found = fit_interest(groups(), config, np.random.default_rng(0))
    assert found is not None
    return found.interest


@pytest.mark.parametrize(
    ("interest", "kind"),
    [("linear", Linear), ("auto", Linear), ("network", Network), ("blend", Blend),
     ("popularity", Popularity)],
)  # fmt: skip
def test_the_scorer_that_was_asked_for(interest: str, kind: type[Interest]) -> None:
    found = fitted(interest=interest)
    assert type(found) is kind
    assert np.array_equal(found.counts, np.bincount(groups().indices, minlength=30))


def test_the_best_is_chosen_on_interactions_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that learns nothing leaves the closed form alone; one that is right wins."""
    idle = {**NET, "epochs": 1, "learning_rate": 1e-9}
    assert isinstance(fitted(interest="best", net=idle, linear={"penalty": 3.0}), Linear | Blend)
    part = HeldOut.draw(groups(), np.random.default_rng(0))
    good = candidates.linear(part, LinearConfig(penalty=3.0))
    bad = candidates.popularity(part)
    assert candidates.best(part, [bad, good]) is good
    assert candidates.best(part, [good, bad]) is good


def test_a_large_closed_form_is_not_tried_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "AUTO_SIDE", 10)
    assert isinstance(fitted(interest="auto"), Popularity)
    assert isinstance(fitted(interest="blend"), Blend)


def test_a_blend_takes_the_weight_that_is_best_where_it_is_chosen() -> None:
    part = HeldOut.draw(groups(), np.random.default_rng(0))
    good = candidates.linear(part, LinearConfig(penalty=3.0))
    bad = candidates.popularity(part)
    for one, two in ((good, bad), (bad, good)):
        both = candidates.blend(part, one, two)
        assert isinstance(both.known, Blend)
        scores = []
        for weight in candidates.WEIGHTS:
            each = Blend(one.known.counts, (one.known, two.known), (1.0 - weight, weight))
            scores.append(part.ndcg(each))
        assert part.ndcg(both.known) == pytest.approx(max(scores))
        again = both.fit(groups())
        assert isinstance(again, Blend)
        assert again.weights == both.known.weights


def test_both_trainings_of_a_network_are_reported_and_the_second_stops_at_the_best() -> None:
    config = ListsConfig.make({"interest": "network", "net": {**NET, "choose_epoch": True}})
    epochs: list[ListEpoch] = []
    fit_interest(groups(), config, np.random.default_rng(0), epochs.append)
    scored = {e.epoch: e.score for e in epochs if e.score is not None}
    assert list(scored) == [5, 10, 12]
    best = max(scored, key=lambda epoch: scored[epoch])
    assert [e.epoch for e in epochs] == [*range(1, 13), *range(1, best + 1)]


def test_large_data_takes_one_closed_form_if_memory_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fit, "AUTO_SIDE", 5)
    assert isinstance(fitted(interest="best"), Linear)
    refused = fitted(interest="best", linear={"max_gib": 1e-9})
    assert isinstance(refused, Network)
