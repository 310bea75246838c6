from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee import Bias, Histories, ItemMean, Ratings, Recommender, Scale
from matinee.errors import DataError, LeakError, UsageError
from matinee.evaluate import METRICS, metrics_of
from matinee.models.kinds.popularity import Popularity


def made_up(people: int = 60, n_items: int = 50, seed: int = 0) -> tuple[Ratings, Ratings]:
    """Ratings where what is popular is chosen more often; the test part is 30%."""
    rng = np.random.default_rng(seed)
    wanted = rng.random((people, n_items)) < np.linspace(0.6, 0.05, n_items)
    users, items = np.nonzero(wanted)
    values = rng.integers(1, 6, len(users))
    whole = Ratings.from_arrays(
        users + 100, [f"item {i:02d}" for i in items], values, scale=Scale(1, 5), name="made-up"
    )
    test = rng.random(len(users)) < 0.3
    return whole.take(~test).compact(), whole.take(test).compact()


def plain_ndcg(fitted: Any, test: Ratings, k: int, relevant: float = 4) -> float:
    """From the lists that ``recommend`` gives, in plain Python."""
    liked: dict[Any, set[Any]] = {}
    names = zip(
        test.user_ids.decode(test.users), test.item_ids.decode(test.items), test.values, strict=True
    )
    for user, item, value in names:
        if value >= relevant:
            liked.setdefault(user, set()).add(item)
    total = 0.0
    for user, wanted in liked.items():
        recommended = fitted.recommend(users=[user], k=k)["item_id"]
        gains = [1 / np.log2(at + 2) for at, item in enumerate(recommended) if item in wanted]
        total += sum(gains) / sum(1 / np.log2(at + 2) for at in range(min(k, len(wanted))))
    return total / len(liked)


def test_ratings_on_another_scale_are_noted() -> None:
    """Of stars times 20 all are at least 4, so that every test rating would count as relevant."""
    train, test = made_up()
    fitted = Bias().fit(train)
    other = replace(test, values=test.values * 20, scale=Scale(20, 100))
    note = "The test ratings go from 20 to 100, the model's scale from 1 to 5."
    assert note in fitted.evaluate_lists(other).notes
    assert note in fitted.evaluate(other).notes
    assert not any("scale" in each for each in fitted.evaluate_lists(test).notes)


class Unpopular(ItemMean):
    """Lists the least popular items first."""

    def rank_scores_coded(self, histories: Histories, love: float | None = None) -> np.ndarray:
        counts = np.bincount(self.histories.items, minlength=self.n_items)
        return np.tile(-counts.astype(np.float32), (len(histories), 1))


@pytest.mark.parametrize("kind", [Popularity, ItemMean, Bias])
def test_the_lists_scored_are_those_that_recommend_gives(kind: type[Recommender]) -> None:
    train, test = made_up()
    fitted = kind().fit(train)
    evaluation = fitted.evaluate_lists(test, k=(3, 10))
    for k in (3, 10):
        assert evaluation.value("ndcg", k) == pytest.approx(plain_ndcg(fitted, test, k), abs=1e-12)


def test_what_an_evaluation_holds() -> None:
    train, test = made_up()
    evaluation = Unpopular().fit(train).evaluate_lists(test, k=(5, 10))
    assert evaluation.cutoffs == (5, 10)
    assert evaluation.relevant == 4
    assert evaluation.n_relevant == int((test.values >= 4).sum())
    assert evaluation.n_people + evaluation.n_without == test.n_users
    popular = evaluation.baselines["popularity"]
    assert popular.value("recall", 10) > evaluation.value("recall", 10)
    gain = popular.gains[10]["recall"]
    assert gain.value == evaluation.value("recall", 10) - popular.value("recall", 10) < 0
    assert gain.interval is not None
    assert gain.interval.low < gain.value < gain.interval.high < 0
    assert "below that of popularity" in evaluation.verdict("recall", 10)
    for name, score in evaluation.scores[5].items():
        assert (score.interval is None) == (name in ("coverage", "gini")), name
    plain = json.loads(json.dumps(evaluation.as_dict()))
    assert plain["ndcg@5"] == evaluation.value("ndcg", 5)
    for name, k in (("ndcg", 3), ("nope", 5)):
        with pytest.raises(UsageError, match=rf"'{name}' at {k} was not scored"):
            evaluation.value(name, k)
    assert plain["baselines"]["popularity"]["ndcg@5_gain"] == popular.gains[5]["ndcg"].value
    assert plain["curves"]["model"]["recall"][9] == pytest.approx(plain["recall@10"])
    text = str(evaluation)
    assert all(METRICS[name].label in text for name in evaluation.scores[5])
    assert all(note in text for note in evaluation.notes)


def test_breakdowns_add_up() -> None:
    train, test = made_up()
    evaluation = Popularity().fit(train).evaluate_lists(test, k=10)
    assert sum(row.n_people for row in evaluation.by_history) == evaluation.n_people
    assert sum(row.n for row in evaluation.by_history) == evaluation.n_relevant
    mean = (
        sum(row.n_people * row.ndcg["model"] for row in evaluation.by_history) / evaluation.n_people
    )
    assert mean == pytest.approx(evaluation.value("ndcg", 10))
    assert sum(row.n_items for row in evaluation.by_popularity) == train.n_items
    assert sum(row.trained for row in evaluation.by_popularity) == pytest.approx(1)
    assert sum(row.shown["model"] for row in evaluation.by_popularity) == pytest.approx(1)
    hits = sum(row.n * (row.recall["model"] or 0) for row in evaluation.by_popularity)
    assert hits == pytest.approx(evaluation.sums[10].values["hits"][:, 0].sum())


def test_to_pandas_has_a_row_for_each_model_cutoff_and_metric() -> None:
    pytest.importorskip("pandas")
    train, test = made_up()
    evaluation = ItemMean().fit(train).evaluate_lists(test, k=(5, 10), baselines=["popularity"])
    frame = evaluation.to_pandas()
    assert len(frame) == 2 * 2 * len(metrics_of("list"))
    row = frame.query("model == 'popularity' and k == 5 and metric == 'mrr'").iloc[0]
    assert row["value"] == evaluation.baselines["popularity"].value("mrr", 5)
    assert row["gain_low"] <= row["gain"] <= row["gain_high"]


def test_test_ratings_the_model_saw_are_refused() -> None:
    train, _ = made_up()
    fitted = Popularity().fit(train)
    with pytest.raises(LeakError, match="has seen"):
        fitted.evaluate_lists(train)
    both = replace(train, name="train")
    evaluation = fitted.evaluate_lists(both, allow_overlap=True)
    assert evaluation.overlap.count == len(train)
    assert evaluation.value("recall", 10) == 0  # what was seen is never listed
    assert "the score is invalid" in evaluation.notes[0]


def test_people_held_out_of_training_are_folded_in() -> None:
    train, test = made_up()
    held = train.users >= 40
    fitted = Popularity().fit(train.take(~held).compact())
    known = set(train.user_ids.decode(train.users[held]).tolist())
    tested = np.isin(test.user_ids.decode(test.users), sorted(known))
    part = test.take(tested).compact()
    shown = fitted.evaluate_lists(part, histories=train.take(held).compact(), k=10)
    assert shown.n_new == 0
    new = fitted.evaluate_lists(part, k=10)
    assert new.n_new == new.n_people == shown.n_people
    # What a person has, popular as it is, takes no place once the history is known.
    assert shown.value("recall", 10) > new.value("recall", 10)


def test_a_model_without_histories_is_scored_on_given_ones(tmp_path: Any) -> None:
    from matinee import load_model

    train, test = made_up()
    fitted = Popularity().fit(train)
    fitted.save(tmp_path / "model", histories=False)
    bare = load_model(tmp_path / "model")
    with pytest.raises(UsageError, match="histories"):
        bare.evaluate_lists(test)
    evaluation = bare.evaluate_lists(test, histories=train, allow_overlap=True)
    whole = fitted.evaluate_lists(test)
    assert evaluation.value("ndcg", 10) == pytest.approx(whole.value("ndcg", 10), abs=1e-12)
    assert evaluation.value("novelty", 10) == pytest.approx(whole.value("novelty", 10))
    assert np.isnan(evaluation.value("diversity", 10))
    assert evaluation.baselines == {}
    with pytest.raises(UsageError, match="baselines"):
        bare.evaluate_lists(test, histories=train, baselines=["popularity"])


def test_relevance_may_be_stated() -> None:
    train, test = made_up()
    fitted = Popularity().fit(train)
    assert fitted.evaluate_lists(test, relevant=1).n_relevant == len(test)
    with pytest.raises(DataError, match="--relevant"):
        fitted.evaluate_lists(test, relevant=6)
    with pytest.raises(UsageError, match="popularity"):
        fitted.evaluate_lists(test, baselines=["populrity"])


def test_of_interactions_all_are_relevant() -> None:
    train, test = made_up()
    ones = [
        replace(part, values=np.ones(len(part), np.float32), scale=Scale(1, 1))
        for part in (train, test)
    ]
    evaluation = Popularity().fit(ones[0]).evaluate_lists(ones[1])
    assert evaluation.n_relevant == len(test)
    assert evaluation.n_without == 0
    assert isinstance(evaluation.sums[10].values["ndcg"], np.ndarray)
    assert Histories.of(ones[0].by_user).counts.sum() == len(train)


def test_lists_of_a_saved_model_are_scored_by_its_folder(tmp_path: Path) -> None:
    train, test = made_up()
    fitted = Popularity().fit(train)
    evaluation = matinee.evaluate_lists(fitted.save(tmp_path / "model"), test, k=5)
    assert evaluation.as_dict() == matinee.evaluate_lists(fitted, test, k=5).as_dict()
    assert evaluation.cutoffs == (5,)


@pytest.mark.parametrize("option", ["love", "half_life"])
def test_an_infinite_option_of_a_saved_model_is_read(tmp_path: Path, option: str) -> None:
    train, _ = made_up()
    train = replace(train, times=np.arange(len(train)))
    model = matinee.Autoencoder("base", hidden=(4,), epochs=1, **{option: np.inf}).fit(train)
    loaded = matinee.load_model(model.save(tmp_path / "model"))
    assert loaded.settings == model.settings
    assert loaded.love == model.love
