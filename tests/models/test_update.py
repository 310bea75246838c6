"""Models that go on learning."""

from __future__ import annotations

import json
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.base.widths import most_units
from matinee.data import Ratings, fingerprint
from matinee.errors import DataError, LeakError, UsageError
from matinee.models import Autoencoder, Bias, load_model
from matinee.models.trainable import BIAS_ALONE, UNIT
from matinee.models.update import all_ratings
from matinee.recommend.interest.held_out import HeldOut
from matinee.synth import synthesize

OPTIONS: dict[str, Any] = {
    "hidden": [16],
    "input": "presence",
    "input_scale": "sqrt",
    "center": "bias",
    "epochs": 10,
    "batch_size": 32,
    "objective": "conditional",
    "validation": 0.05,
}


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings, Ratings]:
    """Old, new and test ratings; some people and items are in the new ones alone."""
    whole = synthesize(160, 90, 8000, seed=4).ratings
    rng = np.random.default_rng(0)
    which = rng.choice(3, len(whole), p=[0.75, 0.15, 0.1])
    late = (whole.users < 6) | (whole.items < 3)
    which[late & (which == 0)] = 1
    old, new, test = (whole.take(which == at).compact() for at in range(3))
    return old, new, test


@pytest.fixture(scope="module")
def old_model(parts: tuple[Ratings, Ratings, Ratings], tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("update") / "old"
    return Autoencoder("base", **OPTIONS).fit(parts[0], seed=0).save(folder)


@pytest.fixture(scope="module")
def updated(parts: tuple[Ratings, Ratings, Ratings], old_model: Path) -> Autoencoder:
    model = load_model(old_model)
    assert isinstance(model, Autoencoder)
    return model.update(parts[1], seed=1)


def test_it_knows_all_that_was_seen(
    updated: Autoencoder, parts: tuple[Ratings, Ratings, Ratings], old_model: Path
) -> None:
    old, new, _ = parts
    before = load_model(old_model)
    assert (before.n_users, before.n_items) < (updated.n_users, updated.n_items) == (160, 90)
    anew = Bias().fit(_together(old, new))
    assert updated.provenance.fingerprint == anew.provenance.fingerprint
    assert updated.provenance.n_ratings == len(old) + len(new)
    assert updated.provenance.notes[-1].startswith(f"{len(new):,} ratings of ")
    for part in (old, new):
        with pytest.raises(LeakError):
            updated.evaluate(part)
    assert np.array_equal(updated.leak_guard.hashes, anew.leak_guard.hashes)
    assert updated.bias.mean == pytest.approx(anew.bias.mean, abs=1e-6)
    assert updated.record["updates"][0]["n_added"] == len(new)
    assert updated.item_table is not None
    assert updated.item_table.genres is not None
    old_titles = dict(zip(before.item_ids.ids, before.item_table.titles, strict=True))  # type: ignore[union-attr]
    titles = dict(zip(updated.item_ids.ids, updated.item_table.titles, strict=True))
    assert all(titles[item] == title for item, title in old_titles.items())


def test_it_is_as_good_as_training_anew(
    updated: Autoencoder, parts: tuple[Ratings, Ratings, Ratings], old_model: Path
) -> None:
    old, new, test = parts
    anew = Autoencoder("base", **OPTIONS).fit(_together(old, new), seed=0)
    stale = load_model(old_model).evaluate(test)
    evaluation, best = updated.evaluate(test), anew.evaluate(test)
    assert evaluation.rmse < stale.rmse - 0.02
    assert evaluation.rmse < best.rmse + 0.01
    assert evaluation.coverage.unknown.n < stale.coverage.unknown.n
    assert (len(updated.epochs), len(anew.epochs)) == (1, 10)


def test_weights_go_on_from_those_there_were(updated: Autoencoder, old_model: Path) -> None:
    before = load_model(old_model)
    assert isinstance(before, Autoencoder)
    same = updated.item_ids.encode(before.item_ids.ids)
    old, new = before.item_space().vectors, updated.item_space().vectors[same]
    cosine = np.sum(old * new, axis=1) / np.linalg.norm(old, axis=1) / np.linalg.norm(new, axis=1)
    assert np.median(cosine) > 0.95


def test_an_update_with_few_ratings_does_not_shrink_the_network_again() -> None:
    """One of ten is held out, by which any network would look like noise."""
    whole = synthesize(400, 100, 24000, seed=4).ratings
    old, new, test = np.split(np.random.default_rng(0).permutation(len(whole)), [20000, 20010])
    options = {**OPTIONS, "epochs": 60, "learning_rate": 5e-3, "shrink": True}
    model = Autoencoder("base", **options).fit(whole.take(old), seed=0)
    before, slope = model.shrinkage, model.inputs.outputs.slope
    rmse = model.evaluate(whole.take(test)).rmse
    assert before > 0.5
    assert rmse < model.evaluate(whole.take(test)).baselines["bias"].rmse - 0.01
    model.update(whole.take(new), seed=1)
    assert (model.shrinkage, model.inputs.outputs.slope) == (before, slope)
    assert model.evaluate(whole.take(test)).rmse < rmse + 0.002


@pytest.mark.parametrize("preset", ["default", "accurate-autoencoders"])
def test_a_model_shrunk_to_the_bias_model_has_a_note(preset: str) -> None:
    def ratings_of(taste: float) -> Ratings:
        return synthesize(200, 60, 6000, seed=4, taste=taste).ratings

    small = {"hidden": [8], "epochs": 5, "learning_rate": 1e-2, "lists.interest": "none"}
    model = matinee.model(preset, **small).fit(ratings_of(0.0), seed=0)
    assert BIAS_ALONE in model.provenance.notes
    model.update(ratings_of(0.0).take(np.arange(50)), epochs=1)
    assert model.provenance.notes.count(BIAS_ALONE) == 1
    assert BIAS_ALONE not in model.fit(ratings_of(4.0), seed=0).provenance.notes


@pytest.mark.parametrize(
    ("factor", "note"), [(20.0, "divide them by 10"), (0.02, "multiply them by 100"), (2.0, "")]
)
def test_ratings_in_a_unit_that_is_not_converted_have_a_note(factor: float, note: str) -> None:
    ratings = synthesize(60, 30, 900, seed=4).ratings
    wide = Ratings.from_arrays(ratings.users, ratings.items, ratings.values * factor)
    small = {"hidden": [4], "epochs": 1, "lists.interest": "none", "learning_rate": 1e-6}
    for preset in ("default", "accurate"):
        for output in ("linear", "elu"):  # of which only the first is converted
            settings = {**small, "output_activation": output}
            notes = matinee.model(preset, **settings).fit(wide, seed=0).provenance.notes
            found = [text for text in notes if text.startswith(UNIT)]
            noted = bool(note) and output == "elu"
            assert [note in text for text in found] == ([True] if noted else [])
    assert not matinee.model("biased-mf").fit(wide).provenance.notes


def test_widths_stay_as_they_were(parts: tuple[Ratings, Ratings, Ratings]) -> None:
    old, new, _ = parts
    options = {**OPTIONS, "epochs": 1, "width_per_rating": 0.2}
    model = Autoencoder("base", **options).fit(old)
    hidden = model.network.config.hidden
    assert hidden == (most_units(0.2, len(old), old.n_users, old.n_items),)
    assert hidden[0] < most_units(0.2, len(old) + len(new), 160, 90) < OPTIONS["hidden"][0]
    assert model.update(new, epochs=1).network.config.hidden == hidden


def test_saved_loaded_and_updated_again(
    updated: Autoencoder, parts: tuple[Ratings, Ratings, Ratings], tmp_path: Path
) -> None:
    again = load_model(updated.save(tmp_path / "new"))
    assert again.evaluate(parts[2]).rmse == updated.evaluate(parts[2]).rmse
    more = parts[2].take(np.arange(len(parts[2])) < 100)
    again.update(more, epochs=2)
    assert [each["n_added"] for each in again.record["updates"]] == [len(parts[1]), 100]
    assert len(again.epochs) == 2  # type: ignore[attr-defined]
    assert json.dumps(again.record)


def test_stopped_and_resumed_to_the_same_weights(
    parts: tuple[Ratings, Ratings, Ratings], old_model: Path, tmp_path: Path
) -> None:
    def start() -> Any:
        return load_model(old_model)

    whole = start().update(parts[1], seed=1, epochs=4)

    def stop(epoch: Any) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    stopped = start()
    with pytest.raises(KeyboardInterrupt):
        stopped.update(parts[1], seed=1, epochs=4, folder=tmp_path, on_epoch=stop)
    assert stopped.provenance.fingerprint == fingerprint(parts[0])  # as it was
    with pytest.raises(UsageError, match="the start changed"):
        start().update(parts[1], seed=1, epochs=3, folder=tmp_path, resume=True)
    resumed = start().update(parts[1], seed=1, epochs=4, folder=tmp_path, resume=True)
    for name, array in whole.network.arrays().items():
        assert np.array_equal(array, resumed.network.arrays()[name]), name


def test_a_fit_afterwards_is_one_from_nothing(
    updated: Autoencoder, parts: tuple[Ratings, Ratings, Ratings], old_model: Path
) -> None:
    model = load_model(old_model)
    assert isinstance(model, Autoencoder)
    first = model.item_space().vectors.copy()
    model.update(parts[1], epochs=1)
    model.fit(parts[0], seed=0, progress=False)
    assert np.allclose(model.item_space().vectors, first, atol=1e-6)


def test_closed_forms_are_fitted_anew(parts: tuple[Ratings, Ratings, Ratings]) -> None:
    old, new, test = parts
    model, anew = Bias().fit(old).update(new), Bias().fit(_together(old, new))
    assert model.evaluate(test).rmse == pytest.approx(anew.evaluate(test).rmse, abs=1e-9)


def test_scorers_of_interest_are_fitted_again_with_their_settings(
    parts: tuple[Ratings, Ratings, Ratings],
) -> None:
    from matinee.recommend.interest.candidates import blend
    from matinee.recommend.interest.scorers.linear import linear
    from matinee.recommend.interest.scorers.popularity import popularity
    from matinee.train.linear import LinearConfig

    part = HeldOut.draw(parts[0].by_user, np.random.default_rng(0))
    closed = linear(part, LinearConfig(penalty=20.0, tilt=0.2))
    both = blend(part, closed, popularity(part))
    other = part.held
    for each in (closed, popularity(part), both):
        again = each.known.refitted(other)
        assert again is not None
        people = matinee.data.Histories.of(part.known)
        assert np.allclose(again.scores(people), each.fit(other).scores(people), atol=1e-5)


def test_the_new_rating_holds() -> None:
    old = Ratings.from_arrays(["a", "a", "b"], ["x", "y", "x"], [1, 2, 5], name="old")
    new = Ratings.from_arrays(["a", "c"], ["x", "z"], [4, 3], name="new")
    model = Bias().fit(old)
    whole, added = all_ratings(model, new)
    ids = zip(whole.user_ids.decode(whole.users), whole.item_ids.decode(whole.items), strict=True)
    fields = dict(zip(ids, whole.values.tolist(), strict=True))
    assert fields == {("a", "x"): 4, ("a", "y"): 2, ("b", "x"): 5, ("c", "z"): 3}
    assert added.tolist() == [False, False, True, True]


def test_refusals(parts: tuple[Ratings, Ratings, Ratings], tmp_path: Path) -> None:
    model = Bias().fit(parts[0])
    off = Ratings.from_arrays(["a"], ["x"], [9.0])
    with pytest.raises(DataError, match="off the scale"):
        model.update(off)
    with pytest.raises(
        DataError, match=r"trained on ratings, and these are interactions: .*--rating"
    ):
        model.update(Ratings.from_arrays(["a"], ["x"]))
    clicks = matinee.model("ease").fit(parts[0].liked(4.0))
    with pytest.raises(DataError, match="on interactions, and these are ratings: --relevant"):
        clicks.update(parts[1])
    with pytest.raises(DataError, match="no new ratings"):
        model.update(parts[1].take(np.zeros(len(parts[1]), dtype=bool)))
    with pytest.raises(UsageError, match="epochs = 0"):
        model.update(parts[1], epochs=0)
    bare = load_model(model.save(tmp_path / "bare", histories=False))
    with pytest.raises(UsageError, match="without histories"):
        bare.update(parts[1])
    with pytest.raises(UsageError, match="not fitted"):
        Bias().update(parts[1])
    assert model.provenance.fingerprint == fingerprint(parts[0])


@pytest.mark.parametrize("kind", [Bias, lambda: Autoencoder(**OPTIONS)])
def test_a_copy_is_updated_alone(parts: tuple[Ratings, Ratings, Ratings], kind: Any) -> None:
    model = kind().fit(parts[0], seed=0)
    history = {"new": dict.fromkeys(model.item_ids.ids[:5].tolist(), 4.0)}
    before, ratings = model.recommend(history, k=20).to_pandas(), model.provenance
    updated = copy(model).update(parts[1], seed=0)
    assert updated.provenance != model.provenance == ratings
    assert model.recommend(history, k=20).to_pandas().equals(before)


def test_titles_and_genres_that_come_later() -> None:
    first_table = {
        "item": ["a", "b"],
        "title": ["A (2000)", "B (2001)"],
        "genres": ["Drama", "War"],
    }
    rated = {"user": [1, 1, 2, 2], "item": ["a", "b", "a", "c"], "rating": [5, 3, 4, 2]}
    model = Bias().fit(matinee.load(rated, items=first_table))
    later = {"item": ["a", "c", "d"], "title": ["Another", "C", "D"], "genres": ["War", "War", ""]}
    more = {"user": [3, 3, 4], "item": ["a", "c", "d"], "rating": [2, 5, 3]}
    table = model.update(matinee.load(more, items=later)).item_table
    assert table is not None
    assert table.genres is not None
    assert table.titles.tolist() == ["Another", "B (2001)", "C", "D"]
    assert table.genres.tolist() == [("War",), ("War",), ("War",), ()]


def _together(old: Ratings, new: Ratings) -> Ratings:
    from matinee.data.splits.shared import join, share_vocabularies

    return join(*share_vocabularies(old, new), name=old.name)
