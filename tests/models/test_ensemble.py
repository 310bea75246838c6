"""Ensembles through the shared battery, and what is their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from battery import Battery, Case, u1

import matinee
from matinee.config import to_toml
from matinee.data import Histories, Ratings
from matinee.errors import UsageError
from matinee.models import (
    Autoencoder,
    Bias,
    Ensemble,
    Member,
    Settings,
    load_model,
    member_settings,
    preset,
)
from matinee.models.networks.blend.count_shift import EXPECTED, CountShift
from matinee.models.networks.blend.sampled import SampledMember
from matinee.testing import all_pairs, checkerboard, fitted, histories_by_user, refitted, sample
from matinee.train import Epoch
from matinee.train.bayes.config import BayesianConfig

TINY = preset("default").replace(
    {
        "hidden": [32],
        "epochs": 60,
        "learning_rate": 4e-3,
        "validation": 0.1,
        "teacher": "none",
        "teachers": 1,
        "score_every": 1,
    }
)


def ensemble(*members: dict[str, Any], **options: Any) -> Settings:
    return TINY.replace({"members": [*members]}).replace(options)


BOTH = ensemble({"copies": 2}, {"set": {"rows": "items"}})
USERS = ensemble({"copies": 2}, {"set": {"hidden": [8]}})
ITEMS = ensemble({"set": {"rows": "items"}, "copies": 2})
QUICK = partial(Ensemble, device="cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


class NewPeople(Battery):
    """Where the items are rows, known people have other predictions than new ones."""

    def test_interactions_are_learned(self, case: Case) -> None:
        table = refitted(case).lists
        assert ((table["user_id"] + table["item_id"]) % 2 == 0).mean() > 0.97


@pytest.mark.parametrize("case", [Case("users", partial(QUICK, settings=USERS), True)], ids=str)
class TestUserSide(Battery):
    pass


@pytest.mark.parametrize("case", [Case("both", partial(QUICK, settings=BOTH), True)], ids=str)
class TestBothSides(NewPeople):
    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        """New people are answered by the members with users as rows, and by nothing else."""
        model, history = fitted(case), histories_by_user(sample())[104]
        assert isinstance(model, Ensemble)
        items = sample().item_ids.ids
        predicted = model.predict("new", items, histories={"new": history})
        assert not np.allclose(predicted, model.predict(104, items), atol=1e-3)
        # A history given for someone known is a history given: no member knows it.
        assert np.array_equal(predicted, model.predict(104, items, histories={104: history}))
        assert model.new[2] == 0 < model.known[2]
        users = [member for member in model.members if not member.by_items]
        assert model.histories is not None
        person = model.histories.take([4])
        rows, codes = np.zeros(40, dtype=np.int64), np.arange(40, dtype=np.int32)
        base = model.bias.predict(person, rows, codes)
        blend = base + sum(
            weight * (member.predict(person, rows, codes) - base)
            for weight, member in zip(model.new, users, strict=False)
        )
        assert np.allclose(predicted, blend.clip(0.5, 5), atol=1e-5)


@pytest.mark.parametrize("case", [Case("items", partial(QUICK, settings=ITEMS), True)], ids=str)
class TestItemSide(NewPeople):
    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        model, history = fitted(case), {"new": histories_by_user(sample())[104]}
        items = sample().item_ids.ids
        predicted = model.predict("new", items, histories=history)
        bias = Bias().fit(sample(), seed=3).predict("new", items, histories=history)
        assert np.allclose(predicted, bias, atol=1e-5)
        assert isinstance(model, Ensemble)
        assert not model.new.any()
        assert model.histories is not None
        with pytest.raises(UsageError, match="no vectors for people"):
            model.encode(model.histories)


def test_known_and_new_people_in_one_batch() -> None:
    model = QUICK(settings=BOTH).fit(sample(), seed=3)
    assert model.histories is not None
    some = model.histories.take([3, 9, 4])
    mixed = Histories(some.indptr, some.items, some.values, np.array([3, -1, 4], dtype=np.int32))
    rows = np.repeat(np.arange(3), 40)
    items = np.tile(np.arange(40, dtype=np.int32), 3)
    predicted = model.predict_coded(mixed, rows, items)
    assert np.allclose(model.scores_coded(mixed).ravel().clip(0.5, 5), predicted, atol=1e-4)
    apart = [model.predict_coded(mixed.take([n]), rows[:40], items[:40]) for n in range(3)]
    assert np.allclose(np.concatenate(apart), predicted, atol=1e-5)


def test_vectors_of_people_stand_side_by_side() -> None:
    model = QUICK(settings=USERS.replace({"epochs": 1})).fit(sample(), seed=3)
    assert model.histories is not None
    vectors = model.encode(model.histories)
    # --set hidden holds for every member; here each kept its own.
    assert [m.settings.network.hidden for m in model.members] == [(32,), (32,), (8,)]
    assert vectors.shape == (60, 72)
    assert np.array_equal(vectors[:, 32:64], model.members[1].encode(model.histories))


def test_one_validation_part_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from matinee.models.networks import trainer as _trainer

    trainers: list[Any] = []
    made = _trainer.Trainer
    monkeypatch.setattr(
        _trainer, "Trainer", lambda *a, **k: trainers.append(made(*a, **k)) or trainers[-1]
    )
    model = QUICK(settings=BOTH.replace({"epochs": 1})).fit(sample(), seed=3)
    parts = []
    for run in (trainer.run for trainer in trainers):
        rows = np.repeat(run.valid.rows, np.diff(run.valid.indptr))
        pair = (run.valid.columns, rows) if run.known.n_rows == 40 else (rows, run.valid.columns)
        parts.append(set(zip(*(side.tolist() for side in pair), strict=True)))
        assert len(run.known.values) + len(run.valid) == 900
        assert len(run.valid) == model.n_valid
        assert run.known.counts.min() > 0
    assert parts[0] == parts[1] == parts[2]
    assert 60 < model.n_valid < 120
    first = [m.network.arrays()["table_out"] for m in model.members[:2]]
    assert not np.allclose(*first)  # copies have seeds of their own


def test_weights_follow_the_validation_part() -> None:
    """A member that learns nothing is left out where there is enough to see it."""
    bad = {"set": {"epochs": 1, "learning_rate": 1e-6, "center": "none"}}
    settings = ensemble({}, bad, epochs=20).replace({})
    settings = settings.model_copy(update={"members": (Member(), Member(**bad))})
    model = QUICK(settings=settings).fit(checkerboard(), seed=0)
    assert model.known[0] > 0.8
    assert model.known[1] < 0.1
    assert np.array_equal(model.known, model.new)


def test_without_a_validation_part_all_weigh_the_same() -> None:
    model = QUICK(settings=BOTH, validation=0.0, epochs=2).fit(sample(), seed=3)
    assert model.known.tolist() == [1 / 3] * 3
    assert model.new.tolist() == [0.5, 0.5, 0]
    assert model.n_valid == 0
    assert all(epoch.valid_rmse is None for epoch in model.epochs)


def test_members_of_other_presets_and_files(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[train]\nepochs = 3\nvalidation = 0.25\n[network]\nhidden = [4]\n")
    text = f'members = [{{ preset = "{file.as_posix()}" }}, {{ preset = "tuned", copies = 3 }}]'
    whole = tmp_path / "whole.toml"
    whole.write_text(f"{text}\n[train]\nepochs = 2\n")
    settings = preset(str(whole))
    entries = member_settings(settings)
    assert [len(entry) for entry in entries] == [1, 3]
    assert [e[0].train.epochs for e in entries] == [3, 100]
    # No share of its own: the largest that a member asks for, for all.
    assert {each.train.validation for entry in entries for each in entry} == {0.25}
    # "auto" counts as what it is for many ratings.
    for option, wanted in ((0.001, "auto"), (0.03, 0.03)):
        pair = (Member(set={"validation": "auto"}), Member(set={"validation": option}))
        members = member_settings(Settings(members=pair))
        assert {each.train.validation for entry in members for each in entry} == {wanted}
    changed = member_settings(settings.replace({"epochs": 1, "validation": 0.1}))
    assert {e.train.epochs for entry in changed for e in entry} == {1}
    assert {e.train.validation for entry in changed for e in entry} == {0.1}
    model = matinee.model(str(whole), epochs=1, hidden=[4], device="cpu").fit(sample(), seed=1)
    model.save(tmp_path / "model")
    file.unlink()  # a saved model does not need what it was made from
    back = load_model(tmp_path / "model")
    assert np.array_equal(back.predict(*all_pairs(sample())), model.predict(*all_pairs(sample())))


def test_what_is_wrong_in_a_member_is_reported() -> None:
    for members, message in (
        ([{"set": {"epoch": 3}}], "member 1: unknown key 'epoch'; did you mean 'epochs'"),
        ([{}, {"preset": "defualt"}], "unknown preset 'defualt'; did you mean 'default'"),
        ([{"preset": "accurate"}], "member 1: accurate is an ensemble itself"),
        ([{"set": {"hidden": "wide"}}], "member 1: network.hidden"),
    ):
        with pytest.raises(UsageError, match=message):
            matinee.model(settings=TINY.replace({"members": members}))
    for members, message in (
        ([{"copis": 3}], r"unknown key 'members\.copis'; did you mean 'copies'"),
        ([{"copies": 0}], "greater than or equal to 1"),
    ):
        with pytest.raises(UsageError, match=message):
            Settings.make({"members": members})


def test_settings_change_in_every_member() -> None:
    settings = BOTH.replace({"epochs": 5}).replace({"train.epochs": 7, "rows": "users"})
    assert settings.train.epochs == 7
    for entry in member_settings(settings):
        assert entry[0].train.epochs == 7
        assert entry[0].network.rows == "users"
    assert all(len(member.set) == 2 for member in settings.members)
    assert Settings.make(settings.model_dump(mode="json")) == settings


def test_as_toml_it_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    settings = BOTH.replace({"epochs": 5, "hidden": [4, 4]})
    file.write_text(to_toml(settings), encoding="utf-8")
    assert preset(str(file)) == settings
    file.write_text('[[members]]\ncopies = 2\n[members.set]\ntrain.epochs = 5\nrows = "items"\n')
    assert preset(str(file)).members == (
        Member(set={"train.epochs": 5, "rows": "items"}, copies=2),
    )


def test_the_factory_and_the_classes() -> None:
    assert type(matinee.model("default")) is Autoencoder
    assert type(matinee.model("accurate")) is Ensemble
    copies = sum(member.copies for member in preset("accurate").members)
    assert matinee.model("accurate", epochs=3).planned_epochs == {
        (number, False): 3
        for number in range(1, copies)  # the last member has no epochs
    }
    assert matinee.model("default", epochs=3).planned_epochs[0, False] == 3
    assert type(matinee.model(settings=BOTH, epochs=3)) is Ensemble
    with pytest.raises(UsageError, match=r"'accurate' is an ensemble; make it with matinee\.model"):
        Autoencoder("accurate")
    with pytest.raises(UsageError, match="an ensemble needs members"):
        Ensemble("default")
    with pytest.raises(UsageError, match="model: unknown key 'epoch'; did you mean 'epochs'"):
        matinee.model("accurate", epoch=3)


class Stop(Exception):  # noqa: N818
    pass


def same(one: Ensemble, two: Ensemble) -> bool:
    left, right = one._state()[0], two._state()[0]
    return left.keys() == right.keys() and all(np.array_equal(left[n], right[n]) for n in left)


@pytest.mark.parametrize("at", [1, 3, 4, 5, 9])
def test_interrupted_and_resumed(at: int, tmp_path: Path) -> None:
    """In the first epoch, at a member's end, at the next one's start, and at the very end."""
    settings = BOTH.replace({"epochs": 3})
    whole = QUICK(settings=settings).fit(sample(), seed=7)
    seen: list[Epoch] = []

    def stop(epoch: Epoch) -> None:
        seen.append(epoch)
        if len(seen) == at:
            raise Stop

    with pytest.raises(Stop):
        QUICK(settings=settings).fit(sample(), seed=7, folder=tmp_path, on_epoch=stop)
    with pytest.raises(UsageError, match="the seed changed"):
        QUICK(settings=settings).fit(sample(), seed=8, folder=tmp_path, resume=True)
    new: list[Epoch] = []
    back = QUICK(settings=settings)
    back.fit(sample(), seed=7, folder=tmp_path, resume=True, on_epoch=new.append)
    assert same(back, whole)
    assert len(new) == 9 - at
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["member"], line["epoch"]) for line in lines] == [
        (member, epoch) for member in (1, 2, 3) for epoch in (1, 2, 3)
    ]
    assert [line["loss"] for line in lines] == [epoch.loss for epoch in whole.epochs]
    assert len(list(tmp_path.glob("checkpoint*"))) == 3
    back.save(tmp_path)
    assert not list(tmp_path.glob("checkpoint*"))
    assert load_model(tmp_path).best_epoch == back.best_epoch  # type: ignore[attr-defined]


def test_a_new_run_takes_no_checkpoint_of_an_old_one(tmp_path: Path) -> None:
    settings = BOTH.replace({"epochs": 1})
    QUICK(settings=settings).fit(sample(), seed=7, folder=tmp_path)

    def stop(epoch: Epoch) -> None:
        raise Stop

    with pytest.raises(Stop):
        QUICK(settings=settings).fit(sample(), seed=8, folder=tmp_path, on_epoch=stop)
    back = QUICK(settings=settings).fit(sample(), seed=8, folder=tmp_path, resume=True)
    assert same(back, QUICK(settings=settings).fit(sample(), seed=8))
    with pytest.raises(UsageError, match="no checkpoint to resume"):
        QUICK(settings=settings).fit(sample(), folder=tmp_path / "new", resume=True)


def test_members_share_the_ratings_in_the_file(tmp_path: Path) -> None:
    model = QUICK(settings=ITEMS.replace({"epochs": 1})).fit(sample(), seed=3)
    assert [n for n in model._state()[0] if n.endswith("known.values")] == ["member.0.known.values"]
    model.save(tmp_path / "m")
    back = load_model(tmp_path / "m")
    assert isinstance(back, Ensemble)
    assert back.members[0].known is back.members[1].known
    assert np.array_equal(back.predict(*all_pairs(sample())), model.predict(*all_pairs(sample())))
    assert (back.epochs, back.n_valid, back.settings) == (
        model.epochs,
        model.n_valid,
        model.settings,
    )


def test_it_is_better_than_its_members(real_data: Callable[[str], Path]) -> None:
    train, test = u1(real_data("ml-100k"))
    # So few epochs want a higher rate: at its own ``accurate`` has not learned much yet.
    small = {"hidden": [50], "epochs": 10, "learning_rate": 1e-2, "interest": "popularity"}
    one = Autoencoder(device="cpu", **small).fit(train, seed=0).evaluate(test)
    both = Ensemble(device="cpu", **small).fit(train, seed=0).evaluate(test)
    assert 0.88 < both.rmse < one.rmse - 0.005


def reordered(ratings: Ratings, seed: int) -> Ratings:
    return ratings.take(np.random.default_rng(seed).permutation(len(ratings)))


def test_the_order_of_the_ratings_changes_no_weight() -> None:
    """Of the preset's own members, teachers included."""
    settings = preset("accurate").replace({"hidden": [6], "epochs": 2, "validation": 0.3})
    one, other = (
        Ensemble(settings=settings, device="cpu").fit(reordered(sample(), seed), seed=3)
        for seed in (1, 2)
    )
    assert one.n_valid == other.n_valid > 50
    expected, restored = one._state()[0], other._state()[0]
    assert expected.keys() == restored.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(array, restored[name], err_msg=name)


def test_a_run_is_resumed_on_the_same_ratings_in_another_order(tmp_path: Path) -> None:
    settings = BOTH.replace({"epochs": 3, "validation": 0.3})
    whole = Ensemble(settings=settings, device="cpu").fit(reordered(sample(), 1))

    def stop(epoch: Epoch) -> None:
        if epoch.member == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ensemble(settings=settings, device="cpu").fit(
            reordered(sample(), 1), folder=tmp_path, on_epoch=stop
        )
    resumed = Ensemble(settings=settings, device="cpu").fit(
        reordered(sample(), 2), folder=tmp_path, resume=True
    )
    for name, array in whole._state()[0].items():
        np.testing.assert_array_equal(array, resumed._state()[0][name], err_msg=name)


def test_a_sampled_member_answers_for_new_people_and_comes_back(tmp_path: Path) -> None:
    data = sample()
    settings = preset("accurate").replace({"hidden": [6], "epochs": 3, "validation": 0.3})
    result = Ensemble(settings=settings).fit(data, seed=1)
    assert isinstance(result.members[-1], SampledMember)
    assert result.members[-1].settings.section(BayesianConfig).sweeps == 3
    assert result.encode(result.histories.take([0])).shape == (1, 12)  # type: ignore[union-attr]
    result.save(tmp_path / "model")
    back = load_model(tmp_path / "model")
    users, items = data.user_ids.ids[data.users], data.item_ids.ids[data.items]
    assert np.array_equal(back.predict(users, items), result.predict(users, items))


def test_copies_of_a_sampled_member_share_its_weight() -> None:
    settings = ensemble({}, {"preset": "bayesian", "copies": 2}, epochs=4, validation=0.3)
    known = QUICK(settings=settings).fit(checkerboard(), seed=1).known
    assert known[1] == known[2] > 0


def test_counts_shift_weight_between_the_sides_for_known_people_alone() -> None:
    data = sample()
    settings = preset("accurate-autoencoders").replace(
        {"hidden": [6], "epochs": 3, "validation": 0.3}
    )
    result = Ensemble(settings=settings).fit(data, seed=1)
    result.known = np.full(len(result.members), 1 / 7)
    logs = np.log(np.maximum(np.bincount(data.items, minlength=data.n_items), 1))
    direction = np.array([0.25, 0.25, 0.0, 0.0, -1.0, 0.25, 0.25])
    result.shift = CountShift(direction, np.array([-0.3, 0.2]), np.array([2.0, 3.0]), logs)
    histories = result.histories
    assert histories is not None
    rows, items = np.arange(60).repeat(40), np.tile(np.arange(40, dtype=np.int32), 60)
    predicted = result._predict(histories, rows, items)
    shift = -0.3 * (logs[items] - 2.0) + 0.2 * (np.log(histories.counts[rows]) - 3.0)
    expected = np.zeros(len(rows))
    for member, part in zip(result.members, direction, strict=True):
        expected += (1 / 7 + part * shift) * member.predict(histories, rows, items)
    assert np.allclose(predicted, expected, atol=1e-5)
    assert np.allclose(result._scores(histories).ravel(), expected, atol=1e-4)
    new = Histories(histories.indptr, histories.items, histories.values, np.full(60, -1, np.int32))
    without = result._predict(new, rows, items)
    result.shift = None
    assert np.array_equal(result._predict(new, rows, items), without)


def test_a_shift_is_fitted_near_its_prior_unless_the_ratings_ask_otherwise() -> None:
    rng = np.random.default_rng(0)
    logs, items = rng.normal(4, 1, 50), rng.integers(0, 50, 30_000)
    log_users = rng.normal(5, 1, 30_000)
    deviations = rng.normal(0, 0.5, (2, 30_000))
    direction = np.array([1.0, -1.0])
    wanted = 0.1 * (logs[items] - logs[items].mean()) * (deviations[0] - deviations[1])
    fit = partial(CountShift.fit, direction, log_counts=logs, total=1.0)
    many = fit(deviations, wanted, items=items, log_users=log_users)
    assert np.allclose(many.slopes, [0.1, 0.0], atol=0.01)
    few = fit(deviations[:, :3], wanted[:3] + 5, items=items[:3], log_users=log_users[:3])
    assert np.allclose(few.slopes, EXPECTED, atol=0.03)
    none = CountShift.fit(direction, deviations, wanted, logs, items, log_users, 0.0)
    assert not none.direction.any()


def test_a_member_has_no_half_life_of_its_own() -> None:
    members = [{"preset": "base", "set": {"half_life": 30.0}}]
    with pytest.raises(UsageError, match=r"member 1: half_life = 30: all members .* same weights"):
        member_settings(Settings.make({"members": members}))
    whole = matinee.model("accurate-autoencoders", half_life=30.0).settings
    assert whole.train.half_life == 30.0
    assert len(member_settings(whole)) == 6


def test_networks_take_weights_and_a_sampled_member_refuses_them() -> None:
    plain = sample()
    weights = np.linspace(0.1, 3.0, len(plain), dtype=np.float32)
    weighted = replace(plain, weights=weights)
    ones = replace(plain, weights=np.ones(len(plain), dtype=np.float32))
    small = {"hidden": [4], "epochs": 2, "batch_size": 16, "interest": "popularity"}

    def answers(train: Ratings) -> np.ndarray:
        made = matinee.model("accurate-autoencoders", **small, device="cpu")
        return made.fit(train, seed=1, progress=False).predict(*all_pairs(plain))

    assert np.abs(answers(weighted) - answers(plain)).max() > 1e-3
    assert np.array_equal(answers(ones), answers(plain))
    sampled = matinee.model("accurate", **small)
    assert not sampled.takes_weights
    with pytest.raises(UsageError, match=r"such as bayesian, takes no weights.*accurate-autoenc"):
        sampled.fit(weighted)
