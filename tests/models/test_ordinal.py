"""Networks with ordinal outputs through the battery, and what is their own."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from battery import Battery, Case

import matinee
from matinee.baseline.ordinal import OrdinalLink
from matinee.data import Histories, Ratings, Scale
from matinee.errors import ModelFileError, UsageError
from matinee.models import Autoencoder, Bias, export_onnx, load_model
from matinee.recommend import reasons
from matinee.synth import synthesize
from matinee.testing import all_pairs, fitted, histories_by_user, refitted, sample

QUICK = partial(Autoencoder, device="cpu", output="ordinal", epochs=30)
ALONE = partial(QUICK, teacher="none")
CASES = [
    Case("ordinal", ALONE, learns=True, bound=0.935),
    Case("distilled ordinal", partial(QUICK, teachers=1, known_codes="encoded"), learns=True),
    Case("ordinal, mean", partial(ALONE, center="mean", shrink=False), learns=True),
]
STORED = [Case("ordinal, stored codes", QUICK, learns=True)]
BY_ITEMS = [Case("ordinal items", partial(ALONE, rows="items"), learns=True)]
pytestmark = pytest.mark.usefixtures("one_thread")
SMALL: dict[str, Any] = {"hidden": [8], "batch_size": 16, "validation": 0.1, "epochs": 8}


class OrdinalBattery(Battery):
    def test_two_ratings_are_enough(self, case: Case) -> None:
        least = Ratings.from_arrays(["a", "b"], ["x", "y"], [0.0, 1.0], scale=Scale(0, 1))
        model = case.make().fit(least)
        assert np.isfinite(model.predict(["a", "c"], ["y", "z"])).all()
        equal = Ratings.from_arrays(["a", "b"], ["x", "y"], [0.0, 0.0], scale=Scale(0, 0))
        with pytest.raises(UsageError, match="2 to 20 levels; these have 1; set output = 'rating'"):
            case.make().fit(equal)


@pytest.mark.parametrize("case", CASES, ids=str)
class TestOrdinal(OrdinalBattery):
    pass


@pytest.mark.usefixtures("stored_codes_are_kept")
@pytest.mark.parametrize("case", STORED, ids=str)
class TestStored(OrdinalBattery):
    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        model, history = fitted(case), histories_by_user(sample())[104]
        assert model.stores_codes
        items = sample().item_ids.ids
        new = model.predict("new", items, histories={"new": history})
        assert 1e-3 < np.abs(new - model.predict(104, items)).mean() < 0.3


@pytest.mark.parametrize("case", BY_ITEMS, ids=str)
class TestByItems(OrdinalBattery):
    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        model, history = fitted(case), histories_by_user(sample())[104]
        items = sample().item_ids.ids
        predicted = model.predict("new", items, histories={"new": history})
        bias = Bias().fit(sample(), seed=3)
        wanted = bias.predict("new", items, histories={"new": history})
        assert np.allclose(predicted, wanted, atol=1e-5)

    def test_interactions_are_learned(self, case: Case) -> None:
        table = refitted(case).lists
        assert ((table["user_id"] + table["item_id"]) % 2 == 0).mean() > 0.97


@cache
def small() -> Autoencoder:
    return ALONE(**SMALL).fit(sample(), seed=1)


def test_predictions_are_expectations_of_the_level_probabilities() -> None:
    model, (users, items) = small(), all_pairs(sample())
    chances = model.level_probabilities(users, items)
    assert model.link is not None
    assert model.link.levels == tuple(np.unique(sample().values))
    assert chances.shape == (len(users), len(model.link.levels))
    assert np.allclose(chances.sum(axis=1), 1.0)
    assert np.allclose(chances @ model.link.levels, model.predict(users, items), atol=1e-6)
    cold = model.level_probabilities([-1], ["nothing"])  # the bias model's prediction
    assert cold @ model.link.levels == pytest.approx(model.bias.mean, abs=1e-6)
    new = model.level_probabilities([0], ["item-07"], histories=[{"item-03": 5, "item-05": 0.5}])
    assert new.shape == (1, len(model.link.levels))


def test_lists_take_the_probability_of_liking_from_the_levels() -> None:
    model = small()
    assert model.preference is not None
    assert model.link is not None
    threshold = model.preference.threshold
    users, items = all_pairs(sample())
    liked = model.preference.probability(model.predict(users, items))
    at_least = np.array(model.link.levels) >= threshold
    wanted = model.level_probabilities(users, items)[:, at_least].sum(axis=1)
    assert np.allclose(liked, wanted, atol=1e-6)


def test_probabilities_are_calibrated_where_the_truth_is_known() -> None:
    data = synthesize(400, 120, 16_000, seed=3).ratings
    train, test = matinee.split(data, holdout=0.2, seed=0)
    model = ALONE(hidden=[32], validation=0.1).fit(train, seed=0)
    chances = model.level_probabilities(
        test.user_ids.ids[test.users], test.item_ids.ids[test.items]
    )
    assert model.link is not None
    code = model.link.codes(test.values)
    shares = np.bincount(code, minlength=chances.shape[1]) / len(code)
    assert np.allclose(chances.mean(axis=0), shares, atol=0.03)
    liked = chances[:, -2:].sum(axis=1)
    for group in np.array_split(np.argsort(liked), 4):
        assert np.mean(code[group] >= chances.shape[1] - 2) == pytest.approx(
            liked[group].mean(), abs=0.06
        )


def test_a_folder_has_the_link_and_one_without_it_is_refused(tmp_path: Path) -> None:
    model = small()
    folder = model.save(tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert "link" not in manifest["preference"]
    loaded = load_model(folder)
    assert isinstance(loaded, Autoencoder)
    assert loaded.link == model.link
    assert loaded.preference == model.preference
    for link in (None, {"levels": [1, 2], "thresholds": [3, 4], "slope": 1}, {"levels": 3}):
        manifest["config"]["link"] = link
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(ModelFileError):
            load_model(folder)


def test_networks_of_ratings_have_no_levels(tmp_path: Path) -> None:
    model = ALONE(**SMALL, **{"network.output": "rating"}).fit(sample(), seed=1)
    folder = model.save(tmp_path / "model")
    assert "link" not in json.loads((folder / "manifest.json").read_text())["config"]
    assert model.link is None
    with pytest.raises(UsageError, match="train it with output = 'ordinal'"):
        model.level_probabilities([100], ["item-03"])


def test_ratings_without_few_levels_are_refused() -> None:
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(400)[:300], 20)
    for values in (rng.uniform(1, 5, 300), np.full(300, 3.0)):
        data = Ratings.from_arrays(users, items, values, scale=Scale(1, 5), name="some")
        with pytest.raises(UsageError, match="some: output = 'ordinal' needs ratings of 2 to 20"):
            ALONE(**SMALL).fit(data)


def test_a_graph_gives_expectations(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="export needs matinee[onnx]")
    assert export_onnx(small(), tmp_path / "model.onnx") < 1e-4


def test_contributions_of_ratings_and_the_rest_add_up_to_the_prediction() -> None:
    model = small()
    assert model.histories is not None
    history, items = model.histories.take([0]), np.arange(5, dtype=np.int32)
    empty = Histories.build([([], [])])
    baselines = model._unknown(empty, np.full(5, -1), items)
    why = reasons(model._predict, history, items, baselines)
    total = why.baselines + why.contributions.sum(axis=1) + why.together
    assert np.allclose(total, model.predict(100, model.item_ids.ids[:5]), atol=1e-6)


def test_it_goes_on_learning_and_keeps_its_link_until_the_levels_change() -> None:
    data = sample()
    old, new = matinee.split(data, holdout=0.2, seed=0)
    model = ALONE(**SMALL).fit(old, seed=1)
    before = model.predict(*all_pairs(old))
    updated = ALONE(**SMALL).fit(old, seed=1).update(new, seed=0)
    assert isinstance(updated, Autoencoder)
    assert updated.link is not None
    assert updated.link.levels == model.link.levels  # type: ignore[union-attr]
    assert np.abs(updated.predict(*all_pairs(old)) - before).mean() < 0.3
    without = old.values < 5
    lower = ALONE(**SMALL).fit(old.take(without), seed=1)
    higher = lower.update(old.take(~without), seed=0)
    assert isinstance(higher, Autoencoder)
    assert higher.link is not None
    assert higher.link.levels[-1] == 5.0


def test_members_teach_those_of_the_same_outputs_alone() -> None:
    item = {"set": {"rows": "items", "teacher": "none"}}
    ordinal = {"set": {"rows": "items", "teacher": "none", "output": "ordinal"}}
    student = {"set": {"teacher": "transposed", "output": "ordinal", "teachers": 1}}

    def epochs(*members: dict[str, Any]) -> list[tuple[int, int]]:
        model = matinee.model("default", **SMALL, known_codes="encoded", members=list(members))
        planned = list(model.planned_epochs)
        model.fit(sample(), seed=2, progress=False)
        assert isinstance(model, matinee.Ensemble)
        users, items = all_pairs(sample())
        predicted = model.predict(users, items)
        assert np.isfinite(predicted).all()
        scores = model.scores_coded(model.histories).clip(0.5, 5)  # type: ignore[arg-type]
        rows = model.user_ids.encode(users)
        assert np.allclose(scores[rows, model.item_ids.encode(items)], predicted, atol=1e-4)
        return planned

    assert epochs(item, student) == [(1, 0), (2, 1), (2, 0)]  # a teacher of its own
    assert epochs(ordinal, student) == [(1, 0), (2, 0)]


def test_the_first_link_is_fitted_to_the_bias_model_without_the_validation_part() -> None:
    from matinee.models.networks._link import first_link

    data = sample()
    held = np.random.default_rng(0).random(len(data)) < 0.3
    link = first_link(data, held, None)
    again = first_link(data.take(~held), None, None)
    assert link.levels == again.levels
    assert link.slope == pytest.approx(again.slope, rel=1e-6)
    assert link != first_link(data, None, None)
    assert first_link(data, held, again) is again
    other = OrdinalLink((1.0, 2.0), (1.5,), 1.0)
    assert first_link(data, held, other) == link


def test_weights_move_the_levels() -> None:
    ratings = sample()
    weights = np.where(ratings.values >= np.median(ratings.values), 10.0, 1.0).astype(np.float32)
    weighted = replace(ratings, weights=weights)
    users, items = ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)
    plain, moved = (
        ALONE(**SMALL).fit(each, progress=False).predict(users, items).mean()
        for each in (ratings, weighted)
    )
    mean = np.average(ratings.values, weights=weights)
    assert moved - plain > 0.5 * (mean - ratings.values.mean())
