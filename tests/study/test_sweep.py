"""``sweep`` on small generated ratings: what it chooses by, keeps, stops at and says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.data import Ratings, split, split_three
from matinee.errors import DataError, LeakError, MatineeError, UsageError
from matinee.evaluate import rmse
from matinee.lab.tune import SearchSpace, Sweep, Trial, sweep
from matinee.models import Autoencoder, preset
from matinee.synth import synthesize

START = preset("base").replace(
    {"hidden": 8, "epochs": 6, "batch_size": 32, "center": "bias", "clip": True}
)
SPACE = SearchSpace.make(
    {
        "width": {"low": 2, "high": 16, "log": True},
        "learning_rate": {"low": 1e-4, "high": 3e-2, "log": True},
        "epochs": {"low": 3, "high": 8},
    }
)


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    return synthesize(120, 90, 4000).ratings


@pytest.fixture(scope="module")
def whole(ratings: Ratings) -> Sweep:
    return sweep(ratings, START, space=SPACE, trials=8, seed=3)


def apart_from_time(trials: tuple[Trial, ...]) -> list[Trial]:
    return [replace(trial, seconds=0.0) for trial in trials]


def scored(settings: Any, train: Ratings, held: Ratings, seed: int) -> float:
    model = Autoencoder(settings=settings).fit(train, seed=seed)
    users, items = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
    return rmse(model.predict(users, items), held.values)


def test_trials_are_compared_on_one_validation_part(ratings: Ratings, whole: Sweep) -> None:
    train, valid, fresh = split_three(ratings, 0.1, 0.1, 3)
    assert whole.sizes == {
        "train": len(train),
        "validation": len(valid),
        "fresh": len(fresh),
        "test": 0,
    }
    assert whole.trials[0].settings == START
    complete = [trial for trial in whole.trials if trial.state == "complete"]
    assert len(complete) >= 3
    for trial in complete[:3]:
        assert trial.rmse == scored(trial.settings, train, valid, 3)
    assert whole.best.rmse == min(trial.rmse or 9 for trial in complete)
    assert (len(whole.trials), whole.stopped) == (8, "trials")


def test_the_worth_is_measured_on_ratings_the_search_never_saw(
    ratings: Ratings, whole: Sweep
) -> None:
    assert whole.best.number > 0
    assert whole.fresh is not None
    rest, fresh = split(ratings, 0.1, 3)
    assert len(fresh) == whole.fresh.n == 400
    for settings, reported in (
        (START, whole.fresh.before),
        (whole.best.settings, whole.fresh.after),
    ):
        values = [scored(settings, rest, fresh, seed) for seed in (4, 5)]
        assert reported == pytest.approx(float(np.mean(values)), abs=1e-12)
    assert whole.fresh.gain == whole.fresh.before - whole.fresh.after
    within = whole.fresh.interval
    assert within is not None
    assert within.low < whole.fresh.gain < within.high
    assert f"{abs(whole.fresh.gain):.4f}" in whole.worth


def test_a_seed_and_a_number_of_trials_decide_all(ratings: Ratings, whole: Sweep) -> None:
    again = sweep(ratings, START, space=SPACE, trials=8, seed=3)
    assert apart_from_time(again.trials) == apart_from_time(whole.trials)
    assert again.fresh == whole.fresh
    other = sweep(ratings, START, space=SPACE, trials=2, seed=4)
    assert other.trials[1].values != whole.trials[1].values


def test_a_sweep_goes_on_where_it_was_stopped(
    ratings: Ratings, whole: Sweep, tmp_path: Path
) -> None:
    file = tmp_path / "trials"

    class _Killed(BaseException):
        pass

    def fall(step: Any) -> None:
        if step.training == "trial 4" and step.epoch.epoch == 2:
            raise _Killed

    with pytest.raises(_Killed):
        sweep(ratings, START, space=SPACE, trials=8, seed=3, storage=file, on_epoch=fall)
    made: list[int] = []
    with file.open("ab") as journal:  # the kill came in the middle of a write
        journal.write(b'{"op_code":6,"worker')
    swept = sweep(
        *(ratings, START),
        space=SPACE,
        trials=8,
        seed=3,
        storage=file,
        on_trial=lambda trial, best: made.append(trial.number),
    )
    assert made == [4, 5, 6, 7]
    assert apart_from_time(swept.trials) == apart_from_time(whole.trials)
    assert swept.fresh == whole.fresh

    steps: list[Any] = []
    again = sweep(
        *(ratings, START),
        space=SPACE,
        trials=8,
        seed=3,
        storage=file,
        on_epoch=steps.append,
    )
    assert (steps, again.fresh, again.best) == ([], swept.fresh, swept.best)


@pytest.mark.parametrize(
    ("change", "name", "detail"),
    [
        ({"ratings": synthesize(120, 90, 4000, seed=1).ratings}, "data", ""),
        ({"by": "user"}, "data", ""),
        ({"preset": START.replace({"momentum": 0.5})}, "preset", " (train.momentum)"),
        ({"space": SearchSpace.make({"epochs": {"low": 1, "high": 2}})}, "space", " (width"),
        ({"seed": 4}, "seed", " (3, now 4)"),
    ],
)
def test_the_trials_of_another_sweep_are_refused(
    change: dict[str, Any], name: str, detail: str, ratings: Ratings, tmp_path: Path
) -> None:
    file = tmp_path / "trials"
    options: dict[str, Any] = {
        "ratings": ratings,
        "preset": START,
        "space": SPACE,
        "seed": 3,
        "trials": 1,
        "storage": file,
    }
    sweep(**options)
    before = file.read_bytes()
    with pytest.raises(UsageError) as caught:
        sweep(**{**options, **change})
    assert str(file) in str(caught.value)
    assert f"the {name} changed since that sweep{detail}" in str(caught.value)
    assert file.read_bytes() == before


def test_a_file_that_is_no_sweep_is_left_alone(ratings: Ratings, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    for text in ("user,item,rating\n1,2,3\n", '{"a": 1}\n', "7\n", "no line"):
        file.write_text(text)
        with pytest.raises(UsageError, match=r"notes\.txt: not the trials of a sweep"):
            sweep(ratings, START, space=SPACE, trials=1, storage=file)
        assert file.read_text() == text


def test_a_damaged_file_is_named(ratings: Ratings, tmp_path: Path) -> None:
    file = tmp_path / "trials"
    sweep(ratings, START, space=SPACE, trials=1, storage=file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], b"{oh\n", *lines[3:]]))
    with pytest.raises(MatineeError, match="damaged"):
        sweep(ratings, START, space=SPACE, trials=1, storage=file)


def test_two_sweeps_do_not_share_a_file(ratings: Ratings, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    file = tmp_path / "trials"
    messages: list[str] = []

    def another(trial: Trial, best: Trial | None) -> None:
        with pytest.raises(UsageError, match="another sweep is running") as caught:
            sweep(ratings, START, space=SPACE, trials=1, storage=file)
        messages.append(str(caught.value))

    sweep(ratings, START, space=SPACE, trials=1, storage=file, on_trial=another)
    assert len(messages) == 1


def test_what_is_behind_is_cut_short(ratings: Ratings) -> None:
    choices = [[2e-3, *(10.0**-e for e in range(7, 16))], [20, 21, 22]]
    space = SearchSpace.make(
        {"learning_rate": {"choices": choices[0]}, "epochs": {"choices": choices[1]}}
    )
    start = START.replace({"epochs": 20, "learning_rate": 2e-3})
    swept = sweep(ratings, start, space=space, trials=8)
    pruned = [trial for trial in swept.trials if trial.state == "pruned"]
    assert len(pruned) >= 2
    for trial in pruned:
        # Never before two fifths of its schedule, and with something saved.
        assert 8 <= trial.epochs < trial.settings.train.epochs
        assert trial.rmse is None
        assert trial.values["train.learning_rate"] < 1e-3


def test_settings_that_fail_are_no_end(ratings: Ratings, tmp_path: Path) -> None:
    space = SearchSpace.make({"learning_rate": {"choices": [5e-4, 1e9]}})
    swept = sweep(ratings, START, space=space, trials=9)
    assert swept.stopped == "exhausted"
    assert [(t.number, t.state) for t in swept.trials] == [(0, "complete"), (1, "failed")]
    assert "diverged" in swept.trials[1].reason
    assert swept.best.number == 0
    assert swept.fresh is None
    assert swept.worth.startswith("nothing tried was better")

    together = {"patience": {"choices": [0, 2]}}
    kept = {"space": SearchSpace.make(together), "trials": 9, "storage": tmp_path / "trials"}
    swept = sweep(ratings, START, **kept)
    assert "patience needs a validation share" in swept.trials[1].reason
    assert sweep(ratings, START, **kept).trials == swept.trials  # it goes on all the same

    start = START.replace({"learning_rate": 1e9})
    with pytest.raises(MatineeError, match=r"trials failed; the first: training diverged"):
        sweep(ratings, start, space=SearchSpace.make({"epochs": {"choices": [6]}}), trials=3)
    swept = sweep(ratings, start, space=space, trials=9)
    assert swept.best.number == 1
    assert swept.fresh is None
    assert "could not be trained" in swept.worth


def test_a_start_outside_of_the_space_is_still_the_first_trial(ratings: Ratings) -> None:
    space = SearchSpace.make({"epochs": {"low": 1, "high": 3}, "activation": {"choices": ["elu"]}})
    swept = sweep(ratings, START, space=space, trials=3)
    assert swept.trials[0].settings == START
    assert swept.trials[0].values == {"train.epochs": 6, "network.activation": "sigmoid"}
    assert all(1 <= trial.values["train.epochs"] <= 3 for trial in swept.trials[1:])


class Clock:
    """One second an epoch."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def __call__(self, step: Any) -> None:
        self.now += 1.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("matinee.lab.tune.search.time", made)
    return made


def test_the_budget_stops_a_running_trial(ratings: Ratings, clock: Clock) -> None:
    space = SearchSpace.make({"epochs": {"low": 10, "high": 12}})
    seen: list[Any] = []

    def watch(step: Any) -> None:
        clock(step)
        seen.append((step.training, clock.now))

    swept = sweep(ratings, START, space=space, budget=1, on_epoch=watch)
    assert swept.stopped == "budget"
    assert [trial.number for trial in swept.trials] == list(range(len(swept.trials)))
    # Part of the minute is for judging; one more trial was begun, and is not among the trials.
    searching = [(what, now) for what, now in seen if what.startswith("trial")]
    assert searching[-1][1] <= 49
    assert searching[-1][0] == f"trial {len(swept.trials)}"
    assert sum(trial.epochs for trial in swept.trials) < len(searching)
    assert clock.now <= 60
    with pytest.raises(MatineeError, match=r"budget of 1 minutes ended before the first"):
        sweep(ratings, START.replace({"epochs": 90}), space=space, budget=1, on_epoch=clock)


@pytest.mark.slow
def test_the_budget_limits_the_seeds_of_the_judgement(ratings: Ratings, clock: Clock) -> None:
    options: dict[str, Any] = {"space": SPACE, "seed": 3, "seeds": 20, "on_epoch": clock}
    swept = sweep(ratings, START, budget=2, **options)
    assert swept.fresh is not None
    assert 1 < swept.fresh.seeds < 20
    assert clock.now <= 120


def test_a_trial_may_take_a_quarter_of_the_budget(ratings: Ratings, clock: Clock) -> None:
    space = SearchSpace.make({"epochs": {"choices": [6, 100]}})
    swept = sweep(ratings, START, space=space, budget=1, on_epoch=clock)
    assert swept.stopped == "exhausted"
    assert (swept.trials[1].state, swept.trials[1].epochs) == ("pruned", 2)
    assert "quarter of the budget" in swept.trials[1].reason


@pytest.mark.slow
def test_the_budget_counts_earlier_sittings(ratings: Ratings, clock: Clock, tmp_path: Path) -> None:
    options: dict[str, Any] = {"space": SPACE, "storage": tmp_path / "trials", "on_epoch": clock}
    first = sweep(ratings, START, budget=1, **options)
    assert first.stopped == "budget"
    assert len(first.trials) > 2
    assert first.seconds == sum(trial.epochs for trial in first.trials)
    again = sweep(ratings, START, budget=first.seconds / 60, **options)
    assert len(again.trials) == len(first.trials)
    more = sweep(ratings, START, budget=first.seconds / 60 + 2, **options)
    assert len(more.trials) > len(first.trials)


def test_a_test_set_is_read_at_the_end_and_chooses_nothing(
    ratings: Ratings, whole: Sweep, tmp_path: Path
) -> None:
    other = synthesize(120, 90, 4400).ratings
    train, test = split(other, 0.1, 0)
    plain = sweep(train, START, space=SPACE, trials=4)
    swept = sweep(train, START, space=SPACE, trials=4, test=test)
    assert apart_from_time(swept.trials) == apart_from_time(plain.trials)
    assert (plain.test, swept.sizes["test"]) == (None, len(test))
    assert swept.test is not None
    values = [scored(swept.best.settings, train, test, seed) for seed in (1, 2)]
    assert swept.test.after == pytest.approx(float(np.mean(values)), abs=1e-12)
    with pytest.raises(LeakError, match="10 of its pairs"):
        sweep(train, START, space=SPACE, trials=1, test=train.take(np.arange(10)))


def test_the_preset_file_goes_round(whole: Sweep, tmp_path: Path) -> None:
    file = whole.save(tmp_path / "mine.toml")
    read = preset(str(file))
    assert read == whole.settings
    assert read.replace({"description": START.description}) == whole.best.settings
    assert Autoencoder(preset=str(file)).settings == read
    for text in ("Found by matinee sweep", f"trial {whole.best.number}", "fresh ratings"):
        assert text in read.description
    with pytest.raises(UsageError, match=r"ends in \.toml"):
        whole.save(tmp_path / "mine")
    with pytest.raises(MatineeError, match="cannot write"):
        whole.save(file / "under" / "a-file.toml")


def test_the_table_of_trials(whole: Sweep, tmp_path: Path) -> None:
    table = whole.table()
    assert list(table.columns) == [
        *("trial", "state", "rmse", "epochs", "seconds"),
        *("width", "train.learning_rate", "train.epochs", "reason"),
    ]
    lines = whole.write_trials(tmp_path / "t.csv").read_text().splitlines()
    assert len(lines) == 9
    answer = json.loads(whole.write_trials(tmp_path / "t.json").read_text())
    assert [trial["rmse"] for trial in answer["trials"]] == [trial.rmse for trial in whole.trials]
    assert answer["best"]["settings"]["train"]["epochs"] == whole.best.settings.train.epochs
    with pytest.raises(UsageError, match=r"\.json"):
        whole.write_trials(tmp_path / "t.xlsx")


@pytest.mark.slow
def test_importances_need_trials_enough(ratings: Ratings, whole: Sweep) -> None:
    assert whole.importances == {}
    space = SearchSpace.make(
        {
            "learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
            "batch_size": {"choices": [31, 32, 33]},
        }
    )
    swept = sweep(ratings, START.replace({"epochs": 1}), space=space, trials=14)
    assert sum(swept.importances.values()) == pytest.approx(1.0)
    assert swept.importances["train.learning_rate"] > 0.5


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"budget": 0.0}, UsageError, "budget = 0"),
        ({"trials": 0}, UsageError, "trials = 0"),
        ({"seeds": 0}, UsageError, "seeds = 0"),
        ({"seed": -1}, UsageError, "seed must be a whole number of at least 0, not -1"),
        ({"by": "usr"}, UsageError, "'user'"),
        ({"preset": "defualt"}, UsageError, "'default'"),
        ({"preset": "ials"}, UsageError, "evaluate --lists"),
        ({"preset": "ials", "space": SPACE}, UsageError, "evaluate --lists"),
        ({"space": "absent.toml"}, UsageError, "absent.toml: no such file"),
        ({"validation": 0.9, "fresh": 0.2}, (UsageError, DataError), ""),
    ],
)
def test_wrong_requests(options: dict[str, Any], error: Any, words: str, ratings: Ratings) -> None:
    with pytest.raises(error) as caught:
        sweep(ratings, **{"preset": START, "trials": 1, **options})
    assert words in str(caught.value)


def test_interactions_are_refused(ratings: Ratings) -> None:
    with pytest.raises(UsageError, match="a sweep needs ratings"):
        sweep(ratings.liked(3), START, trials=1)


def test_other_kinds_of_model_are_searched_too(ratings: Ratings) -> None:
    start = preset("biased-mf").replace({"factors": 4, "sweeps": 3})
    swept = sweep(ratings, start, trials=4)
    assert {"mf.factors", "mf.ridge_power"} <= set(swept.space.dimensions)
    assert swept.trials[0].settings == start
    assert swept.best.settings.kind == "biased-mf"
    assert swept.best.rmse is not None
    assert swept.best.rmse < 1.0
    with pytest.raises(UsageError, match="accurate is an ensemble"):
        sweep(ratings, "accurate", trials=1)
