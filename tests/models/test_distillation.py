"""Distillation: networks trained on the predictions of another that is trained first."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.data import Ratings
from matinee.errors import TrainingError, UsageError
from matinee.models import Autoencoder, Settings
from matinee.models.networks import _side_by_side as side_by_side, trainer as trainer_module
from matinee.models.networks.trainer import Trainer
from matinee.testing import checkerboard, sample
from matinee.train import Epoch, RunContext, Teacher, checkpoint, fit_shrinkage

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS: dict[str, Any] = {
    "hidden": [12],
    "batch_size": 16,
    "epochs": 6,
    "teacher": "transposed",
    "teachers": 1,
    "learning_rate": 4e-3,
    "teacher_epochs": 0.5,
    "score_every": 1,
    "validation": 0.2,
    "shrink": False,
}


class Stop(Exception):  # noqa: N818
    """What an impatient caller raises."""


def model(**options: Any) -> Autoencoder:
    made = matinee.model("default", device="cpu", **{**OPTIONS, **options})
    assert isinstance(made, Autoencoder)
    return made


def losses(epochs: list[Epoch]) -> list[float]:
    return [epoch.loss for epoch in epochs]


def stop_at(epoch: int, *, teacher: int) -> Callable[[Epoch], None]:
    def on_epoch(done: Epoch) -> None:
        if (done.epoch, done.teacher) == (epoch, teacher):
            raise Stop

    return on_epoch


def test_its_epochs_and_its_teachers() -> None:
    messages: list[Epoch] = []
    net = model()
    assert net.planned_epochs == {(0, True): 3, (0, False): 6}
    net.fit(sample(), on_epoch=messages.append)
    assert [epoch.epoch for epoch in messages] == [1, 2, 3, 1, 2, 3, 4, 5, 6]
    assert [epoch.teacher for epoch in messages] == [True] * 3 + [False] * 6
    assert net.teacher_epochs == messages[:3]
    assert net.epochs == messages[3:]
    alone = model(teacher="none").fit(sample())
    assert alone.planned_epochs == {(0, False): 6}
    assert alone.teacher_epochs == []
    assert losses(net.epochs) != pytest.approx(losses(alone.epochs), rel=1e-3)
    assert model(teacher_epochs=0.01).planned_epochs[0, True] == 1


def test_the_seeded_losses() -> None:
    """Frozen, as in tests/train/test_golden.py: of the teacher, and of the student."""
    net = model().fit(sample())
    assert losses(net.teacher_epochs) == pytest.approx([0.7045259, 0.6580565, 0.6950202], rel=1e-5)
    wanted = [0.2815865, 0.2661305, 0.2582402, 0.2422889, 0.2541879, 0.2603728]
    assert losses(net.epochs) == pytest.approx(wanted, rel=1e-5)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """With one thread teachers are trained in turn, with two side by side."""
    monkeypatch.setattr(side_by_side, "kernel_thread_count", lambda: request.param)
    return int(request.param)


def test_two_teachers(tmp_path: Path, threads: int) -> None:
    """The first as if alone; the mean of both is learned; a run stopped in the second goes on."""
    net = model(teachers=2)
    assert net.planned_epochs == {(0, 1): 3, (0, 2): 3, (0, 0): 6}
    net.fit(sample())
    assert [(e.teacher, e.epoch) for e in net.teacher_epochs] == list(product((1, 2), (1, 2, 3)))
    one = model().fit(sample())
    assert losses(net.teacher_epochs[:3]) == losses(one.teacher_epochs)
    assert losses(net.teacher_epochs[3:]) != losses(one.teacher_epochs)
    assert losses(net.epochs) != losses(one.epochs)
    stopped = model(teachers=2)
    with pytest.raises(Stop):
        stopped.fit(sample(), folder=tmp_path, on_epoch=stop_at(2, teacher=2))
    assert len(lines(tmp_path)) == (5 if threads == 1 else 6)
    resumed = model(teachers=2).fit(sample(), folder=tmp_path, resume=True)
    assert losses(resumed.teacher_epochs) == losses(net.teacher_epochs)
    assert losses(resumed.epochs) == losses(net.epochs)


def test_they_are_saved(tmp_path: Path) -> None:
    net = model().fit(sample())
    again = matinee.load_model(net.save(tmp_path / "model"))
    assert again.teacher_epochs == net.teacher_epochs
    assert again.epochs == net.epochs


@pytest.mark.parametrize("rows", ["users", "items"])
def test_the_teacher_is_the_same_network_over_the_other_side(rows: str) -> None:
    net = model(rows=rows)
    teacher = net.settings.teacher()
    other = {"users": "items", "items": "users"}[rows]
    back = {"rows": rows, "teacher": "transposed", "epochs": 6}
    assert teacher.network.rows == other
    assert teacher.replace(back) == net.settings
    net.fit(sample())
    assert net.folds_in == (rows == "users")
    valid = [epoch.valid_rmse for epoch in net.epochs]
    assert all(rmse is not None and 0.5 < rmse < 2.0 for rmse in valid)


@pytest.mark.parametrize("rows", ["users", "items"])
def test_ratings_kept_out_teach_nothing(rows: str) -> None:
    """With the validation part's values all changed, no loss of either network is another."""
    train = sample()
    options = {"rows": rows, "keep": "settled", "teacher_epochs": 1 / 6, "input": "presence"}
    net = model(**options)
    held = Trainer(train, net.settings, 0, RunContext()).held
    assert held is not None
    assert held.sum() > 50
    values = train.values.copy()
    values[held] = train.scale.low + train.scale.high - values[held]
    other = Ratings.from_arrays(
        train.user_ids.ids[train.users], train.item_ids.ids[train.items], values, scale=train.scale
    )
    one, two = net.fit(train), model(**options).fit(other)
    assert one.epochs[-1].valid_rmse != pytest.approx(two.epochs[-1].valid_rmse, rel=1e-3)
    assert losses(one.teacher_epochs) == losses(two.teacher_epochs)
    assert losses(one.epochs) == losses(two.epochs)
    values = train.values.copy()
    values[np.flatnonzero(~held)[:50]] = train.scale.low
    seen = Ratings.from_arrays(
        train.user_ids.ids[train.users], train.item_ids.ids[train.items], values, scale=train.scale
    )
    assert losses(model(**options).fit(seen).epochs) != losses(one.epochs)


def test_teachers_side_by_side_end_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "kernel_thread_count", lambda: 2)
    ends: list[int] = []
    ahead = Trainer.train_ahead

    def watched(self: Trainer, *args: Any) -> Any:
        try:
            return ahead(self, *args)
        finally:
            ends.append(len(self.run.history))

    monkeypatch.setattr(Trainer, "train_ahead", watched)
    with pytest.raises(Stop):
        model(teachers=3, epochs=4000).fit(sample(), on_epoch=stop_at(1, teacher=1))
    assert len(ends) == 1  # the third had not begun
    assert ends[0] < 2000
    with pytest.raises(TrainingError, match="diverged"):
        model(teachers=2, learning_rate=1e30, weight_decay=0.0, batch_size=8).fit(sample())


def test_an_error_of_one_teacher_ends_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "kernel_thread_count", lambda: 2)

    def without_memory(*_: Any) -> int:
        raise MemoryError

    monkeypatch.setattr(Trainer, "train_ahead", without_memory)
    seen: list[Epoch] = []
    with pytest.raises(MemoryError):
        model(teachers=2, epochs=400).fit(sample(), on_epoch=seen.append)
    assert len(seen) < 100


def test_both_teachers_are_resumed_where_they_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "kernel_thread_count", lambda: 2)
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    options = {"teachers": 2, "epochs": 20, "teacher_epochs": 0.5}
    whole = model(**options).fit(sample(), seed=7)
    second = tmp_path / "checkpoint-teacher-2.safetensors"

    def stop(epoch: Epoch) -> None:
        end = time.monotonic() + 60
        while not second.exists() and time.monotonic() < end:
            time.sleep(0.001)
        raise Stop

    with pytest.raises(Stop):
        model(**options).fit(sample(), seed=7, folder=tmp_path, on_epoch=stop)
    restored: list[int] = []
    ahead = Trainer.train_ahead

    def watched(self: Trainer, *args: Any) -> int:
        restored.append(ahead(self, *args))
        return restored[-1]

    monkeypatch.setattr(Trainer, "train_ahead", watched)
    seen: list[Epoch] = []
    resumed = model(**options)
    resumed.fit(sample(), seed=7, folder=tmp_path, resume=True, on_epoch=seen.append)
    assert restored[0] > 0
    reported = [(e.teacher, e.epoch) for e in seen]
    assert reported[:9] == [(1, epoch) for epoch in range(2, 11)]
    assert reported[9:-20] == [(2, epoch) for epoch in range(restored[0] + 1, 11)]
    for name, array in whole.network.arrays().items():
        assert np.array_equal(array, resumed.network.arrays()[name]), name
    assert lines(tmp_path) == [e.as_dict() for e in (*resumed.teacher_epochs, *resumed.epochs)]


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "metrics.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("teacher", [True, False])
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_stopped_and_resumed(teacher: bool, epoch: int, tmp_path: Path) -> None:
    """Also at the teacher's last epoch, before the student has begun."""
    whole = model(shrink=True).fit(sample(), seed=7)
    with pytest.raises(Stop):
        model(shrink=True).fit(
            sample(), seed=7, folder=tmp_path, on_epoch=stop_at(epoch, teacher=teacher)
        )
    before = lines(tmp_path)
    assert len(before) == epoch + (0 if teacher else 3)
    resumed = model(shrink=True)
    resumed.fit(sample(), seed=7, folder=tmp_path, resume=True)
    for name, array in whole.network.arrays().items():
        assert np.array_equal(array, resumed.network.arrays()[name]), name
    after = lines(tmp_path)
    assert after[: len(before)] == before
    assert after == [e.as_dict() for e in (*resumed.teacher_epochs, *resumed.epochs)]
    assert any(tmp_path.glob("checkpoint*"))
    resumed.save(tmp_path)
    assert not any(tmp_path.glob("checkpoint*"))


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint to resume"):
        model().fit(sample(), folder=tmp_path, resume=True)


USERS = {"preset": "default", "set": OPTIONS}
ITEMS = {"preset": "default", "set": {**OPTIONS, "teacher": "none", "rows": "items"}, "copies": 2}


def ensemble(*members: dict[str, Any]) -> matinee.Ensemble:
    settings = Settings.make({"members": members, "train": {"validation": 0.2}}, "test")
    return matinee.Ensemble(settings=settings, device="cpu")


def test_members_are_teachers_of_later_members() -> None:
    lent = ensemble(ITEMS, USERS)
    assert lent.planned_epochs == {(1, False): 6, (2, False): 6, (3, False): 6}
    lent.fit(sample())
    assert lent.teacher_epochs == []
    plain = ensemble(ITEMS, {**USERS, "set": {**OPTIONS, "teacher": "none"}}).fit(sample())
    with_teachers, without = ([e for e in net.epochs if e.member == 3] for net in (lent, plain))
    assert losses(with_teachers) != pytest.approx(losses(without), rel=1e-3)
    assert losses(lent.epochs[:12]) == losses(plain.epochs[:12])
    # Of two teachers each is asked: with the first one alone the targets are others.
    one = ensemble({**ITEMS, "copies": 1}, USERS).fit(sample())
    assert losses(one.epochs[-6:]) != pytest.approx(losses(with_teachers), rel=1e-6)


def test_a_member_may_have_a_teacher_of_its_own(tmp_path: Path) -> None:
    blend = ensemble(USERS, ITEMS)
    assert blend.planned_epochs == {
        (1, True): 3,
        (1, False): 6,
        (2, False): 6,
        (3, False): 6,
    }
    blend.fit(sample(), seed=2)
    assert [(e.member, e.teacher) for e in blend.teacher_epochs] == [(1, True)] * 3
    for teacher, epoch in ((True, 2), (False, 2)):
        folder = tmp_path / str(teacher)
        with pytest.raises(Stop):
            ensemble(USERS, ITEMS).fit(
                sample(), seed=2, folder=folder, on_epoch=stop_at(epoch, teacher=teacher)
            )
        again = ensemble(USERS, ITEMS).fit(sample(), seed=2, folder=folder, resume=True)
        assert losses(again.epochs) == losses(blend.epochs)
        assert len(lines(folder)) == 21
    loaded = matinee.load_model(again.save(tmp_path / "model"))
    assert loaded.teacher_epochs == again.teacher_epochs
    assert np.allclose(
        loaded.predict(101, loaded.item_ids.ids), blend.predict(101, blend.item_ids.ids)
    )


PRESET: dict[str, Any] = {
    "hidden": [12],
    "batch_size": 16,
    "epochs": 12,
    "learning_rate": 4e-3,
    "validation": 0.2,
}
"""The sizes of a test; all else as the preset has it: two teachers, shrinkage, stored codes."""


def noisy() -> Ratings:
    """Tastes that are learned, under noise, so that a network is shrunk in part."""
    plain = checkerboard()
    noise = np.random.default_rng(0).normal(0, 1.5, len(plain))
    values = np.clip(plain.values + noise, plain.scale.low, plain.scale.high)
    return Ratings.from_arrays(
        plain.user_ids.decode(plain.users), plain.item_ids.decode(plain.items), values
    )


def test_the_weight_of_the_teacher() -> None:
    settings = matinee.model("default", device="cpu", **PRESET).settings.teacher()
    trainer = Trainer(noisy(), settings, 0, RunContext(), teacher=1)
    trainer.fit()
    run = trainer.run
    assert run.valid is not None
    arrays = run.network.arrays()
    run.network.load_arrays({**arrays, "table_out": 4 * arrays["table_out"]})
    share, inputs = fit_shrinkage(run.network, run.inputs, run.known, run.valid)
    assert 0.0 < share < 0.8
    answers = [
        teacher.table @ teacher.vectors.T + teacher.bias[:, None] + teacher.added
        for teacher in (
            trainer.as_teacher(),
            Teacher.of(run.network, inputs, run.known, share),
            Teacher.of(run.network, run.inputs, run.known),
        )
    ]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert np.abs(answers[0] - answers[2]).max() > 0.1


def test_the_validation_part_reaches_the_student_by_the_shrinkage_and_epoch_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the preset's own settings; docs/training.md has how much that is."""
    train = noisy()
    settings = matinee.model("default", device="cpu", **PRESET).settings
    assert (settings.train.teachers, settings.train.known_codes) == (2, "stored")
    held = Trainer(train, settings, 0, RunContext()).held
    assert held is not None
    values = train.values.copy()
    values[held] = np.random.default_rng(0).permutation(values[held])
    other = Ratings.from_arrays(
        train.user_ids.ids[train.users], train.item_ids.ids[train.items], values, scale=train.scale
    )

    def fitted(data: Ratings) -> Autoencoder:
        made = matinee.model("default", device="cpu", **PRESET)
        assert isinstance(made, Autoencoder)
        return made.fit(data)

    one, two = fitted(train), fitted(other)
    assert losses(one.teacher_epochs) == losses(two.teacher_epochs)
    assert losses(one.epochs) != losses(two.epochs)
    monkeypatch.setattr(trainer_module, "fit_shrinkage", lambda net, inputs, *_: (0.7, inputs))
    one, two = fitted(train), fitted(other)
    assert losses(one.teacher_epochs) == losses(two.teacher_epochs)
    assert losses(one.epochs) == losses(two.epochs)
