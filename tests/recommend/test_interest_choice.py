"""Which scorer of interest is fitted, and how a blend and an epoch are chosen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from matinee.base.top import top_k
from matinee.data import Csr, Histories
from matinee.errors import UsageError
from matinee.recommend.interest import (
    Blend,
    Interest,
    Linear,
    Network,
    Popularity,
    candidates,
    choose,
    fit_interest,
    restore_interest,
)
from matinee.recommend.interest.held_out import HeldOut
from matinee.recommend.interest.scorers import item_knn
from matinee.recommend.interest.scorers.linear import linear
from matinee.recommend.interest.scorers.popularity import popularity
from matinee.train.linear import LinearConfig
from matinee.train.lists import SCORERS, ListEpoch, ListsConfig

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
    result = fit_interest(groups(), config, np.random.default_rng(0))
    assert result is not None
    return result.interest


@pytest.mark.parametrize("cutoff", [3, 20, 100])
def test_ndcg_is_that_of_the_lists_themselves(monkeypatch: pytest.MonkeyPatch, cutoff: int) -> None:
    monkeypatch.setattr("matinee.recommend.interest.held_out.CUTOFF", cutoff)
    part = HeldOut.draw(groups(), np.random.default_rng(0), share=0.5)
    # Few distinct scores: equal ones are listed by item code.
    scores = np.random.default_rng(1).integers(0, 8, (len(part.people), 30)).astype(np.float32)
    known, held = np.zeros((90, 30), bool), np.zeros((90, 30), bool)
    for mask, rows in ((known, part.known), (held, part.held)):
        mask[np.repeat(np.arange(90), rows.counts), rows.indices] = True
    listed, best = top_k(np.where(known[part.people], -np.inf, scores), cutoff)
    hits = np.take_along_axis(held[part.people], listed, axis=1) & (best > -np.inf)
    gains = 1.0 / np.log2(np.arange(listed.shape[1]) + 2.0)
    ideal = [gains[: min(len(gains), n)].sum() for n in part.held.counts[part.people]]
    assert np.allclose(part.ndcg_of(scores, part.people), hits @ gains / ideal)


@pytest.mark.parametrize(
    ("interest", "kind"),
    [("linear", Linear), ("auto", Linear), ("network", Network), ("blend", Blend),
     ("popularity", Popularity)],
)  # fmt: skip
def test_the_scorer_that_was_asked_for(interest: str, kind: type[Interest]) -> None:
    result = fitted(interest=interest)
    assert type(result) is kind
    assert np.array_equal(result.counts, np.bincount(groups().indices, minlength=30))


@pytest.mark.parametrize("name", SCORERS)
def test_every_scorer_of_the_registry_is_fitted_and_restored(name: str) -> None:
    small = {"hidden": 8, "latent": 4, "rounds": 1}
    scorer = fitted(interest=name, net={**NET, "epochs": 2}, recvae=small)
    assert scorer.name == name
    people = Histories.build([([1, 4], [1, 1]), ([], [])])
    scores = scorer.scores(people)
    assert scores.shape == (2, 30)
    assert np.isfinite(scores).all()
    assert np.allclose(scores[1], scorer.counts / scorer.counts.max())
    arrays, config = scorer.state()
    assert np.array_equal(restore_interest(scorer.counts, arrays, config).scores(people), scores)


def test_an_unknown_choice_names_the_others() -> None:
    with pytest.raises(UsageError, match=r"must be one of auto, .*did you mean 'item-knn'"):
        ListsConfig.make({"interest": "item-knm"})


def test_the_best_is_chosen_on_interactions_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that learns nothing leaves the closed form alone; one that is right wins."""
    idle = {**NET, "epochs": 1, "learning_rate": 1e-9}
    assert isinstance(fitted(interest="best", net=idle, linear={"penalty": 3.0}), Linear | Blend)
    part = HeldOut.draw(groups(), np.random.default_rng(0))
    good = linear(part, LinearConfig(penalty=3.0))
    bad = popularity(part)
    assert candidates.best([bad, good]) is good
    assert candidates.best([good, bad]) is good


def parts(interest: Interest) -> set[str]:
    """The names of the scorers that a blend is made of."""
    if isinstance(interest, Blend):
        return set().union(*(parts(each) for each in interest.parts))
    return {interest.name}


def closed_forms(interest: Interest) -> list[Linear]:
    """The closed forms that a blend is made of."""
    if isinstance(interest, Blend):
        return [each for part in interest.parts for each in closed_forms(part)]
    return [interest] if isinstance(interest, Linear) else []


def test_large_data_takes_what_is_quick_and_one_closed_form_for_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose, "AUTO_SIDE", 10)
    monkeypatch.setattr(choose, "LEAST_ROW", 2.0)
    for side in (1000, 10):  # the closed form with and without the interactions held out
        monkeypatch.setattr(choose, "WHOLE_SIDE", side)
        assert parts(fitted(interest="auto")) <= {"linear", "ials", "item-knn"}
        refused = fitted(interest="best", linear={"max_gib": 1e-9})
        assert {"linear", "ials", "bspm"} <= parts(refused) <= {*SCORERS}
    assert {"linear", "ials", "bspm"} <= parts(fitted(interest="best"))
    monkeypatch.setattr(choose, "LEAST_ROW", 20.0)
    assert "linear" not in parts(fitted(interest="best"))
    assert isinstance(fitted(interest="blend"), Blend)


@pytest.mark.parametrize(
    ("options", "whole_side", "dense_row", "nearest"),
    [
        ({}, 10, 2.0, 0),
        ({}, 10, 60.0, choose.NEAREST),
        ({"relax": 0.3}, 10, 60.0, choose.NEAREST),
        ({"max_gib": 1e-9}, 1000, 2.0, choose.NEAREST),
        ({"max_gib": 1e-9}, 10, 2.0, choose.NEAREST),
        ({"nearest": 7}, 10, 2.0, 7),
    ],
)
def test_items_of_large_data_have_weights_of_their_nearest_where_sparse_or_memory_is_short(
    options: dict[str, float],
    whole_side: int,
    dense_row: float,
    nearest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose, "AUTO_SIDE", 10)
    monkeypatch.setattr(choose, "WHOLE_SIDE", whole_side)
    monkeypatch.setattr(choose, "DENSE_ROW", dense_row)
    monkeypatch.setattr(choose, "LEAST_ROW", 2.0)
    best = fitted(interest="best", linear=options)
    assert isinstance(best, Blend)
    assert sum(best.weights) == pytest.approx(1.0)
    assert [each.settings.nearest for each in closed_forms(best) if each.settings] == [nearest]


@pytest.mark.parametrize(
    ("least_row", "dense_row", "tried"),
    [(5.0, 80.0, True), (2.0, 5.0, False), (12.1, 80.0, False), (12.0, 12.0, False)],
)
def test_without_solving_a_closed_form_of_the_nearest_is_tried_on_sparse_data(
    least_row: float, dense_row: float, tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "AUTO_SIDE", 10)
    monkeypatch.setattr(choose, "LEAST_ROW", least_row)
    monkeypatch.setattr(choose, "DENSE_ROW", dense_row)
    monkeypatch.setattr(choose, "gains", lambda one, other: True)
    config = ListsConfig.make({"interest": "auto"})
    rows = groups()  # 12 known interactions of each item, when a third is held out
    part = HeldOut.draw(rows, np.random.default_rng(0), share=1 / 3)
    assert len(part.known.indices) == 12 * part.known.n_columns
    asked: list[LinearConfig] = []

    def noted(part: HeldOut, settings: LinearConfig) -> Any:
        asked.append(settings)
        return linear(part, settings)

    monkeypatch.setattr(choose, "linear", noted)
    choose.large(part, config, np.random.default_rng(0), solve=False)
    assert [each.nearest for each in asked] == [choose.NEAREST] * tried
    assert all(each.denoising == 0.5 and each.user_power == 0.3 for each in asked)


@pytest.mark.parametrize("interest", ["auto", "best"])
@pytest.mark.parametrize(("most_pairs", "tried"), [(1e9, True), (1.0, False)])
def test_neighbours_are_left_out_where_users_have_very_many_items(
    interest: str, most_pairs: float, tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "AUTO_SIDE", 10)
    monkeypatch.setattr(choose, "LEAST_ROW", 2.0)
    monkeypatch.setattr(choose, "MOST_PAIRS", most_pairs)
    made: list[str] = []

    def noted(*args: Any) -> Any:
        made.append("item-knn")
        return item_knn.candidate(*args)

    monkeypatch.setattr(choose, "item_knn", SimpleNamespace(candidate=noted))
    used = parts(fitted(interest=interest))
    assert (made != []) == tried
    if not tried:
        assert used <= {"ials", "popularity"}


def test_the_closed_form_of_the_quick_choice_is_of_the_nearest_and_without_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose, "AUTO_SIDE", 10)
    monkeypatch.setattr(choose, "LEAST_ROW", 2.0)
    monkeypatch.setattr(choose, "best", lambda candidates: candidates[0])
    monkeypatch.setattr(choose, "gains", lambda one, other: True)
    config = ListsConfig.make({"interest": "auto", "linear": {"nearest": 9}})
    result = fit_interest(groups(), config, np.random.default_rng(0))
    assert result is not None
    assert [each.settings.nearest for each in closed_forms(result.interest) if each.settings] == [9]
    config = ListsConfig.make({"interest": "auto"})
    result = fit_interest(groups(), config, np.random.default_rng(0))
    assert result is not None
    (closed,) = closed_forms(result.interest)
    assert closed.settings is not None
    assert closed.settings.nearest == choose.NEAREST
    assert result.notes == ()


@pytest.mark.parametrize(
    ("whole_side", "dense_row", "nearest"),
    [(30, 60.0, 0), (29, 60.0, choose.NEAREST), (29, 2.0, 0)],
)
def test_the_closed_form_is_of_all_items_up_to_a_size_and_on_dense_data(
    whole_side: int, dense_row: float, nearest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "WHOLE_SIDE", whole_side)
    monkeypatch.setattr(choose, "DENSE_ROW", dense_row)
    part = HeldOut.draw(groups(), np.random.default_rng(0))
    assert min(part.known.n_rows, part.known.n_columns) == 30
    assert choose.large_linear(part, LinearConfig()).nearest == nearest


def test_the_docs_name_the_density() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lists.md").read_text("utf-8")
    assert f"fewer than {choose.DENSE_ROW:.0f} interactions for each" in page
    assert choose.DENSE_ROW == 80.0  # measured; see docs/lab-notes.md


def popular_only(people: int = 60, items: int = 40) -> Csr:
    """Everybody draws items by their popularity alone; most have one or two."""
    rng = np.random.default_rng(1)
    chances = 1.0 / np.arange(1, items + 1)
    counts = rng.integers(1, 4, people)
    rows = [np.sort(rng.choice(items, n, replace=False, p=chances / chances.sum())) for n in counts]
    indices = np.concatenate(rows).astype(np.int32)
    indptr = np.r_[0, np.cumsum(counts)].astype(np.int64)
    return Csr(indptr, indices, np.ones(len(indices), np.float32), None, items)


@pytest.mark.parametrize("interest", ["auto", "best"])
@pytest.mark.parametrize("side", [6000, 10])
def test_where_choices_are_by_popularity_so_are_lists(
    interest: str, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "AUTO_SIDE", side)
    config = ListsConfig.make({"interest": interest, "net": NET})
    part = HeldOut.draw(popular_only(), np.random.default_rng(0))
    chosen = choose.choose(part, config, np.random.default_rng(0), None)
    assert chosen.ndcg.mean() >= popularity(part).ndcg.mean()
    assert "popularity" in parts(chosen.fit(popular_only()))


@pytest.mark.parametrize("interest", ["auto", "best", "ials", "item-knn", "bspm"])
def test_people_with_one_item_each_leave_nothing_to_choose_by(interest: str) -> None:
    items = np.arange(20, dtype=np.int32) % 4
    rows = Csr(np.arange(21), items, np.ones(20, np.float32), None, 4)
    config = ListsConfig.make({"interest": interest, "net": NET})
    result = fit_interest(rows, config, np.random.default_rng(0))
    assert result is not None
    if interest in ("auto", "best"):
        assert isinstance(result.interest, Popularity)


def test_a_blend_takes_the_weight_that_is_best_where_it_is_chosen() -> None:
    part = HeldOut.draw(groups(), np.random.default_rng(0))
    good = linear(part, LinearConfig(penalty=3.0))
    bad = popularity(part)
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


def test_times_hold_out_the_latest_of_large_data_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choices of small data are as they were without times."""
    seen: list[HeldOut] = []

    def keep(part: HeldOut, *_: object) -> candidates.Candidate:
        seen.append(part)
        return popularity(part)

    monkeypatch.setattr("matinee.recommend.interest.fit.choose", keep)
    rows = groups()
    times = np.arange(len(rows.indices))
    config = ListsConfig(interest="best")
    for side in (10, 6000):
        monkeypatch.setattr(choose, "AUTO_SIDE", side)
        fit_interest(rows, config, np.random.default_rng(0), times=times)
        fit_interest(rows, config, np.random.default_rng(0))
    assert [part.latest for part in seen] == [True, False, False, False]
    assert seen[0].held.indices.tolist() == rows.indices[5::6].tolist()
