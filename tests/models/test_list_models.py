from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from battery import Battery, Case

from matinee.data import Ratings
from matinee.errors import UsageError
from matinee.models import load_model, model
from matinee.models.kinds.lists import ListModel
from matinee.recommend.interest import Blend, choose
from matinee.testing import fitted, sample

CASES = [
    Case("lists", partial(ListModel, "lists"), learns=False, bound=0.954),
    Case("ease", partial(ListModel, "ease", penalty=5.0), learns=False, bound=0.954),
    Case(
        "by users",
        partial(ListModel, "ease", penalty=5.0, solve="users"),
        learns=False,
        bound=0.954,
    ),
    Case(
        "of the nearest",
        partial(ListModel, "ease", penalty=5.0, nearest=6),
        learns=False,
        bound=0.954,
    ),
    Case("ials", partial(ListModel, "ials", factors=8, sweeps=4), learns=False, bound=0.954),
    Case("item-knn", partial(ListModel, "item-knn"), learns=False, bound=0.954),
    Case("bspm", partial(ListModel, "bspm"), learns=False, bound=0.954),
    Case("gf-cf", partial(ListModel, "gf-cf", singular_vectors=8), learns=False, bound=0.954),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestListModel(Battery):
    """Lists by a linear autoencoder; predictions are the bias model's."""

    def test_predictions_are_the_bias_models(self, case: Case) -> None:
        made = fitted(case)
        items = sample().item_ids.ids
        history = {"new": {"item-01": 5.0, "item-07": 0.5}}
        predictions = made.predict("new", items, histories=history)
        people = made._people(history, "error")
        rows = np.zeros(len(items), dtype=np.int64)
        bias = made.bias.predict(people.histories, rows, made.item_ids.encode(items))
        assert np.allclose(predictions, np.clip(bias, 0.5, 5.0), atol=1e-6)


def communities() -> Ratings:
    """Two groups of people, who choose among two halves of the items; ratings carry no signal."""
    rng = np.random.default_rng(3)
    users, items = np.nonzero(rng.random((80, 30)) < 0.25)
    of_user = (users % 2 == items % 2) | (rng.random(len(users)) < 0.05)
    users, items = users[of_user], items[of_user]
    return Ratings.from_arrays(users, items, rng.integers(1, 6, len(users)).astype(float))


@pytest.mark.parametrize(
    "preset", ["lists", "ease", "ials", "item-knn", "bspm", "gf-cf", "biased-mf"]
)
def test_lists_follow_what_people_choose(preset: str) -> None:
    settings = {"penalty": 5.0} if preset == "ease" else {}
    made = model(preset, **settings).fit(communities())
    table = made.recommend(list_histories(), k=5, love=0.0)
    for user in (0, 1):
        chosen = table["item_id"][table["user_id"] == user]
        assert (chosen % 2 == user).all()


def list_histories() -> list[dict[int, float]]:
    return [{0: 3.0, 2: 3.0, 4: 3.0}, {1: 3.0, 3: 3.0, 5: 3.0}]


def test_love_is_large_where_choices_are_random_and_small_where_they_are_predictable() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((200, 40)) < 0.3)
    ratings = 3.0 + 2.0 * (1 - 2 * ((users + items) % 2))
    random = model("biased-mf").fit(Ratings.from_arrays(users, items, ratings))
    assert random.love > 4.0
    assert model("biased-mf").fit(communities()).love < 2.0


def clicks() -> tuple[Ratings, Ratings]:
    """People of three tastes, without ratings; a fifth of the clicks is the test part."""
    rng = np.random.default_rng(0)
    same_group = np.arange(300)[:, None] % 3 == np.arange(60)[None] % 3
    users, items = np.nonzero(rng.random((300, 60)) < np.where(same_group, 0.3, 0.03))
    whole = Ratings.from_arrays(users, items)
    test = rng.random(len(users)) < 0.2
    return whole.take(~test), whole.take(test)


@pytest.mark.parametrize("preset", ["item-knn", "ials"])
def test_choice_probabilities_are_as_frequent_as_they_say(preset: str, tmp_path: Path) -> None:
    train, test = clicks()
    made = model(preset, **({"factors": 8} if preset == "ials" else {})).fit(train)
    chosen = np.zeros((300, 60), dtype=bool)
    chosen[test.user_ids.ids[test.users], test.item_ids.ids[test.items]] = True
    likely, observed = [], []
    items = np.arange(60)
    for user in range(0, 300, 3):
        number = int(chosen[user].sum())
        if number:
            likely.append(made.choice_probability(user, items, k=number))
            observed.append(chosen[user])
    chances, outcomes = np.concatenate(likely), np.concatenate(observed)
    for low, high in ((0.0, 0.03), (0.03, 0.1), (0.1, 1.0)):
        some = (chances >= low) & (chances < high)
        assert chances[some].mean() == pytest.approx(outcomes[some].mean(), rel=0.35, abs=0.006)
    back = load_model(made.save(tmp_path / "model"))
    assert np.array_equal(back.choice_probability(3, items), made.choice_probability(3, items))
    one = made.choice_probability([3, "nobody"], [6, 6], k=1)
    assert (one <= made.choice_probability([3, "nobody"], [6, 6], k=5)).all()
    assert made.choice_probability(0, ["no item"])[0] == 0.0
    seen = made.histories.items[: made.histories.counts[0]]
    assert (made.choice_probability(0, made.item_ids.ids[seen]) == 0.0).all()
    with pytest.raises(UsageError, match="k must be a whole number of at least 1"):
        made.choice_probability(0, 0, k=0)
    with pytest.raises(UsageError, match="differ in length"):
        made.choice_probability([0, 1], [0, 1, 2])


def test_a_model_of_clicks_predicts_no_ratings() -> None:
    train, _ = clicks()
    made = model("ease", penalty=5.0).fit(train)
    with pytest.raises(UsageError, match="predicts no ratings"):
        made.predict(0, 0)
    with pytest.raises(UsageError, match="predicts no ratings"):
        made.recommend(users=[0], with_std=True)
    with pytest.raises(UsageError, match="no calibrated probability") as refused:
        made.choice_probability(0, 0)
    (named,) = re.findall("train the preset lists, (.*) on people", str(refused.value))
    for preset in re.split(", | or ", named):
        assert model(preset).fit(train).choice_probability(0, 0) >= 0.0
    assert "predicted" not in made.recommend(users=[0]).columns


def test_epochs_of_a_list_network_are_reported() -> None:
    net = {"lists.net.epochs": 3, "lists.net.hidden": [4], "lists.interest": "network"}
    made = model("lists", **net)
    epochs: list[int] = []
    made.fit(clicks()[0], on_list_epoch=lambda epoch: epochs.append(epoch.epoch))
    assert epochs == [1, 2, 3, 1, 2, 3]
    made.fit(clicks()[0])
    assert len(epochs) == 6

    def stop(epoch: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.fit(clicks()[0], on_list_epoch=stop)


def test_recvae_is_saved_with_its_choice(tmp_path: Path) -> None:
    train, _ = clicks()
    small = {"hidden": 8, "latent": 4, "rounds": 2, "score_every": 1, "batch_size": 100}
    made = model("recvae", **{f"lists.recvae.{name}": value for name, value in small.items()})
    made.fit(train)
    assert made.interest is not None
    assert made.interest.name == "recvae"
    back = load_model(made.save(tmp_path / "model"))
    people = made.histories.take(np.arange(5))
    assert np.array_equal(back.rank_scores_coded(people), made.rank_scores_coded(people))
    assert np.array_equal(back.choice_probability(3, [6, 7]), made.choice_probability(3, [6, 7]))


def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the smallest data count as large."""
    monkeypatch.setattr(choose, "AUTO_SIDE", 10)
    monkeypatch.setattr(choose, "LEAST_ROW", 2.0)


def test_the_closed_form_that_is_left_out_of_a_blend_is_noted_with_the_option_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(monkeypatch)
    made = model("lists", max_gib=1e-9).fit(communities())
    (note,) = made.provenance.notes
    assert "with 78 users by 30 items, each item has weights of its 100 nearest" in note
    assert note.endswith("0.0 GiB (--preset ease --set lists.linear.max_gib=1)")
    assert load_model(made.save(tmp_path / "model")).provenance.notes == (note,)
    assert model("lists").fit(communities()).provenance.notes == ()
    assert model("lists", max_gib=1e-9, nearest=5).fit(communities()).provenance.notes == ()


def test_a_blend_with_chosen_weights_has_calibrated_chances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large(monkeypatch)
    made = model("lists", max_gib=1e-9).fit(clicks()[0])
    assert made.choice_rate is not None


def test_an_update_that_fits_a_scorer_again_keeps_its_chances() -> None:
    data = clicks()[0]
    made = model("bspm", singular_vectors=8).fit(data)
    before = made.choice_rate
    assert before is not None
    made.update(data.take(np.arange(5)))
    assert made.choice_rate == before


@pytest.mark.parametrize("anew", [True, False], ids=["chosen anew", "fitted again"])
def test_an_update_notes_a_closed_form_of_the_nearest_once(
    monkeypatch: pytest.MonkeyPatch, anew: bool
) -> None:
    large(monkeypatch)
    made = model("lists", max_gib=1e-9).fit(communities())
    assert isinstance(made.interest, Blend)
    if not anew:  # matrix factorisation cannot be fitted again with the same settings
        kept = [part for part in made.interest.parts if part.name != "ials"]
        made.interest = Blend(made.interest.counts, kept, [0.5] * len(kept))
    items = communities().item_ids.ids[:2]
    made.update(Ratings.from_arrays(["new"] * 2, items, [3.0, 4.0]))
    (note,) = (note for note in made.provenance.notes if "nearest" in note)
    assert "with 79 users by 30 items" in note
