"""The time offset of a model: asked for with times, scored on later ratings, saved, updated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import matinee
from drift import DAY, drifting
from matinee.baseline.time_offset import NEVER, fit_time_offset
from matinee.data import Ratings, split
from matinee.errors import ModelFileError, UsageError
from matinee.lab.comparison import compare
from matinee.models import Bias, ItemMean, Recommender, breakdown, load_model
from matinee.models.folder.manifest import checksum


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    train, test = split(drifting(), holdout=0.2, by="time")
    return train, test


@pytest.fixture(scope="module")
def model(parts: tuple[Ratings, Ratings]) -> Bias:
    return Bias().fit(parts[0])


def ids(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    return ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)


def by_hand(model: Recommender, train: Ratings, test: Ratings) -> np.ndarray:
    """Predictions with the offset, from those without."""
    assert model.time_offset is not None
    assert train.times is not None
    assert test.times is not None
    predictions = model.predict(*ids(test))
    for at, user in enumerate(test.users):
        mine = train.times[train.users == user]
        if len(mine):
            days = (test.times[at] - mine.max()) / DAY
            grown = np.log1p(min(days, model.time_offset.longest))
            predictions[at] += model.time_offset.per_log_day * grown
        else:
            predictions[at] += model.time_offset.new
    return np.clip(predictions, model.scale.low, model.scale.high)


def test_predictions_for_a_time(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    expected = by_hand(model, train, test)
    assert model.time_offset == fit_time_offset(train.compact())
    assert model.predict(*ids(test), times=test.times) == pytest.approx(expected)
    assert test.times is not None
    dates = test.times.astype("datetime64[s]")
    moved, std = model.predict(*ids(test), times=dates, with_std=True)
    assert moved == pytest.approx(expected)
    assert std == pytest.approx(model.predict(*ids(test), with_std=True)[1])
    one = model.predict(*ids(test), times=np.datetime64("2030-01-01"))
    assert one == pytest.approx(model.predict(*ids(test), times=[1893456000] * len(test)))


def test_with_histories_their_times_count(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    shown = model.predict(*ids(test), histories=train, times=test.times)
    users, items = ids(train)
    columns = {"user": users, "item": items, "rating": train.values, "time": train.times}
    frame = pd.DataFrame(columns)
    assert np.array_equal(model.predict(*ids(test), histories=frame, times=test.times), shown)
    assert shown == pytest.approx(by_hand(model, train, test), abs=1e-6)
    offset = model.time_offset
    assert offset is not None
    when = np.datetime64("2001-01-01")
    plain = model.predict(["a", "b"], [1, 1], histories={"a": {2: 4}, "b": {}})
    moved = model.predict(["a", "b"], [1, 1], histories={"a": {2: 4}, "b": {}}, times=when)
    assert moved - plain == pytest.approx([0.0, offset.new])


def test_times_that_cannot_be_are_refused(model: Bias) -> None:
    with pytest.raises(UsageError, match="before the newest rating of training"):
        model.predict([1], [1], times=0)
    with pytest.raises(UsageError, match="one or as many as the predictions, 2"):
        model.predict([1, 2], [1, 2], times=[10**9] * 3)
    with pytest.raises(UsageError, match="whole seconds"):
        model.predict([1], [1], times=[1e9])


def test_later_ratings_are_scored_with_the_offset(
    model: Bias, parts: tuple[Ratings, Ratings]
) -> None:
    train, test = parts
    score = model.evaluate(test)
    errors = by_hand(model, train, test) - test.values
    assert score.rmse == pytest.approx(np.sqrt(np.mean(np.square(errors))))
    assert score.baselines["bias"].rmse == score.rmse
    plain = model.evaluate(test, time_offset=False)
    without = score.baselines["no_time_offset"]
    assert without.scores == plain.scores
    assert without.rmse_gain == pytest.approx(plain.rmse - score.rmse)
    assert without.rmse_gain > 0.02
    mean = float(np.mean(errors)) - plain.scores["mean_error"].value
    assert any(f"{mean:+.3f} on average" in note for note in score.notes)
    assert "no_time_offset" not in plain.baselines
    for taken_apart in (score.breakdown, breakdown(model, test)):
        assert taken_apart.bias == pytest.approx(-np.mean(errors))


def test_known_step_by_step(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    assert model.time_offset is not None
    assert test.times is not None
    assert train.times is not None
    plain = model.evaluate(test, update=True, time_offset=False)
    score = model.evaluate(test, update=True)
    assert score.baselines["no_time_offset"].rmse == pytest.approx(plain.rmse)
    assert score.baselines["frozen"].rmse == pytest.approx(model.evaluate(test).rmse)
    total = 0.0
    for user in np.unique(test.users):
        mine, trained_times = np.flatnonzero(test.users == user), train.times[train.users == user]
        for at in mine:
            earlier = np.append(trained_times, test.times[mine][test.times[mine] < test.times[at]])
            last = np.array([earlier.max() if len(earlier) else NEVER])
            total += model.time_offset.at(test.times[[at]], last)[0]
    assert any(f"{total / len(test):+.3f} on average" in note for note in score.notes)
    assert score.rmse < plain.rmse


@pytest.mark.parametrize("by", ["random", "last", "user"])
def test_other_splits_are_scored_as_ever(by: str) -> None:
    ratings = drifting()
    train, test = split(ratings, holdout=0.2, by=by, seed=1)[:2]
    timed = Bias().fit(train)
    timeless = Bias().fit(replace(train, times=None))
    assert timed.time_offset is not None
    assert timeless.time_offset is None
    assert np.array_equal(timed.predict(*ids(test)), timeless.predict(*ids(test)))
    score, plain = timed.evaluate(test), timeless.evaluate(replace(test, times=None))
    assert score.as_dict() == plain.as_dict()


def test_without_an_offset_times_change_nothing(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    mean = ItemMean().fit(train)
    assert mean.time_offset is None
    assert mean.last_rated is None
    later = mean.predict(*ids(test), times=test.times)
    assert np.array_equal(later, mean.predict(*ids(test)))
    assert "no_time_offset" not in mean.evaluate(test).baselines


def test_networks_have_the_same_offset(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    small = {"hidden": (8,), "epochs": 2, "device": "cpu"}
    network = matinee.model("base", **small).fit(train)
    assert network.time_offset == fit_time_offset(train.compact())
    errors = by_hand(network, train, test) - test.values
    assert network.evaluate(test).rmse == pytest.approx(np.sqrt(np.mean(np.square(errors))))
    timeless = matinee.model("base", **small).fit(replace(train, times=None))
    assert np.array_equal(network.predict(*ids(test)), timeless.predict(*ids(test)))


def test_two_models_are_compared_with_it(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    timeless = Bias().fit(replace(parts[0], times=None))
    gain = compare(timeless, model, parts[1], k=(5,), relevant=4).rmse
    assert gain is not None
    score = model.evaluate(parts[1])
    assert gain.gain == pytest.approx(score.baselines["no_time_offset"].rmse_gain)


def test_saved_and_loaded(model: Bias, parts: tuple[Ratings, Ratings], tmp_path: Path) -> None:
    _, test = parts
    back = load_model(model.save(tmp_path / "model"))
    assert back.time_offset == model.time_offset
    same = back.predict(*ids(test), times=test.times)
    assert np.array_equal(same, model.predict(*ids(test), times=test.times))
    bare = load_model(model.save(tmp_path / "bare", histories=False))
    assert (bare.time_offset, bare.last_rated) == (model.time_offset, None)


def edited(folder: Path, **changes: object) -> Path:
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    content.pop("checksum")
    content |= changes
    if content["time_offset"] == "left out":
        del content["time_offset"]
    file.write_text(json.dumps({**content, "checksum": checksum(content)}))
    return folder


def test_an_earlier_folder_has_none(
    model: Bias, parts: tuple[Ratings, Ratings], tmp_path: Path
) -> None:
    folder = edited(model.save(tmp_path / "model"), time_offset="left out")
    back = load_model(folder)
    assert back.time_offset is None
    assert np.array_equal(back.predict(*ids(parts[1])), model.predict(*ids(parts[1])))
    assert "no_time_offset" not in back.evaluate(parts[1]).baselines


@pytest.mark.parametrize(
    "fields",
    [
        {"per_log_day": "much", "new": 0.0, "longest": 1.0},
        {"per_log_day": 0.1, "new": 0.0, "longest": -1.0},
        {"per_log_day": 0.1, "new": 0.0},
        {"per_log_day": 0.1, "new": 0.0, "longest": 1.0, "more": 1.0},
    ],
)
def test_a_broken_offset_is_refused(model: Bias, tmp_path: Path, fields: dict[str, object]) -> None:
    folder = edited(model.save(tmp_path / "model"), time_offset=fields)
    with pytest.raises(ModelFileError, match="time_offset"):
        load_model(folder)


def test_last_times_that_do_not_fit_are_refused(model: Bias, tmp_path: Path) -> None:
    assert model.last_rated is not None
    for wrong in (model.last_rated[:-1], model.last_rated.astype(np.float64)):
        broken = Bias().fit(split(drifting(), holdout=0.2, by="time")[0])
        broken.last_rated = wrong
        with pytest.raises(ModelFileError, match=r"histories\.last"):
            load_model(broken.save(tmp_path / "model"))


def test_an_update_keeps_the_coefficients(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    model = Bias().fit(train)
    assert test.times is not None
    assert train.times is not None
    before = model.time_offset
    first = test.times < np.median(test.times)
    model.update(test.take(first).compact())
    assert (model.time_offset, before is None) == (before, False)
    for user, last in zip(model.user_ids.ids, model.last_rated, strict=True):
        code = train.user_ids.encode([user])[0]
        times = [ratings.times[ratings.users == code] for ratings in (train, test.take(first))]
        assert last == np.concatenate(times).max()
    assert model.evaluate(test.take(~first)).baselines["no_time_offset"].rmse_gain > 0
    model.update(replace(test.take(~first).compact(), times=None))
    assert (model.time_offset, model.last_rated) == (None, None)


@pytest.mark.parametrize("update", [False, True])
def test_the_verdict_is_about_other_models(
    model: Bias, parts: tuple[Ratings, Ratings], update: bool
) -> None:
    evaluation = model.evaluate(parts[1], update=update)
    assert "no_time_offset" in evaluation.baselines
    assert ("frozen" in evaluation.baselines) == update
    assert evaluation.best_baseline == "bias"
    assert "time_offset" not in evaluation.verdict


def test_milliseconds_are_refused(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    with pytest.raises(UsageError, match="divide milliseconds by 1,000"):
        model.predict(*ids(parts[1]), times=1_600_000_000_000)
