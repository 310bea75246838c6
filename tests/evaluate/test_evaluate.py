from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matinee.data import Ratings, Scale, split
from matinee.errors import DataError, LeakError
from matinee.evaluate import Interval, _test_batches as module
from matinee.models import Bias, ItemMean, load_model


def sample(seed: int = 0, n: int = 900) -> Ratings:
    rng = np.random.default_rng(seed)
    pairs = rng.choice(50 * 40, n, replace=False)
    users, items = pairs // 40, pairs % 40
    values = np.clip(np.rint(3 + users % 3 - items % 2 + rng.normal(0, 1, n)), 1, 5)
    return Ratings.from_arrays(users, [f"i{i}" for i in items], values, name="sample")


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    return split(sample(), holdout=0.2, seed=1)


@pytest.fixture(scope="module")
def model(parts: tuple[Ratings, Ratings]) -> Bias:
    return Bias().fit(parts[0])


def external(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    return ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)


def test_against_the_plain_formulas(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    result = model.evaluate(test)
    error = model.predict(*external(test)) - test.values
    assert result.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-12)
    assert result.mae == pytest.approx(np.mean(np.abs(error)), abs=1e-12)
    assert result.scores["mean_error"].value == pytest.approx(np.mean(error), abs=1e-12)
    assert result.n_test == len(test)
    mean = train.values.mean(dtype=np.float64)
    plain = np.sqrt(np.mean((mean - test.values) ** 2))
    assert result.baselines["global_mean"].rmse == pytest.approx(plain, abs=1e-6)
    by_item = {i: train.values[train.items == i].mean() for i in np.unique(train.items)}
    error = np.array([by_item[i] for i in test.items]) - test.values
    assert result.baselines["item_mean"].rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-6)
    assert result.baselines["item_mean"].mae == pytest.approx(np.mean(np.abs(error)), abs=1e-6)
    assert result.baselines["bias"].rmse == pytest.approx(result.rmse, abs=1e-12)
    assert result.baselines["bias"].rmse_gain == pytest.approx(0, abs=1e-12)
    gain = result.baselines["global_mean"].rmse_gain_interval
    assert gain is not None
    assert 0 < gain.low < result.baselines["global_mean"].rmse_gain < gain.high


def test_intervals_hold_the_score(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    result = model.evaluate(parts[1])
    assert result.rmse_interval is not None
    assert result.mae_interval is not None
    assert result.rmse_interval.low < result.rmse < result.rmse_interval.high
    assert result.mae_interval.low < result.mae < result.mae_interval.high
    again = model.evaluate(parts[1])
    assert again == result
    assert model.evaluate(parts[1], seed=1).rmse_interval != result.rmse_interval
    assert model.evaluate(parts[1], seed=1).rmse == result.rmse


def test_batches_change_nothing(
    model: Bias, parts: tuple[Ratings, Ratings], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = model.evaluate(parts[1])
    monkeypatch.setattr(module, "_BATCH", 7)
    piece = model.evaluate(parts[1])
    assert piece.rmse == pytest.approx(whole.rmse, abs=1e-12)
    assert piece.coverage == whole.coverage
    assert [b.n for b in piece.by_history] == [b.n for b in whole.by_history]


def test_a_leaking_test_set_is_refused_by_name(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    users, items = external(train)
    more_users, more_items = external(test)
    leaked = Ratings.from_arrays(
        np.append(users[:5], more_users),
        np.append(items[:5], more_items),
        np.append(train.values[:5], test.values),
        scale=Scale(1, 5),
        name="leaky",
    )
    with pytest.raises(LeakError) as caught:
        model.evaluate(leaked)
    message = str(caught.value)
    assert message.startswith(f"leaky: the model has seen 5 of {len(test) + 5:,} test pairs")
    for user, item in list(zip(users, items, strict=True))[:3]:
        assert f"user {user}, item {item}" in message
    assert f"item {items[3]}." not in message
    marked = model.evaluate(leaked, allow_overlap=True)
    assert marked.overlap.count == 5
    assert "the score is invalid" in marked.notes[0]
    assert model.evaluate(test).overlap.count == 0


def test_ids_as_text_do_not_slip_past_the_guard(
    model: Bias, parts: tuple[Ratings, Ratings]
) -> None:
    users, items = external(parts[0])
    text = Ratings.from_arrays(
        [*map(str, users), "new"], [*items, items[0]], np.ones(len(users) + 1)
    )
    with pytest.raises(LeakError, match=f"seen {len(users):,} of"):
        model.evaluate(text)


def test_histories_that_hold_the_answers_are_refused(model: Bias) -> None:
    fresh = Ratings.from_arrays([901, 901, 902], ["i1", "i2", "i3"], [3, 4, 5])
    shown = {901: {"i1": 3, "i5": 4}, 902: {"i4": 2}}
    with pytest.raises(LeakError, match="seen 1 of 3 test pairs, among them user 901, item i1"):
        model.evaluate(fresh, histories=shown)
    result = model.evaluate(fresh.take(np.array([1, 2])), histories=shown)
    assert result.coverage.known.n == 2
    assert [b.ratings for b in result.by_history] == ["1-4"]


def test_people_under_other_ids_are_refused_and_named(model: Bias) -> None:
    """Trained on all, asked about the same people renamed, 80% of their ratings given."""
    whole = sample()
    trained = Bias().fit(whole)
    users, items = external(whole)
    other = Ratings.from_arrays(users + 1000, items, whole.values, name="renamed")
    train, test = split(other, holdout=0.2, seed=3)
    with pytest.raises(LeakError) as caught:
        trained.evaluate(test, histories=train)
    message = str(caught.value)
    assert message.startswith("renamed: the model was trained on ")
    assert "test people under other ids (1000 as 0; 1001 as 1; 1002 as 2)" in message
    with pytest.raises(LeakError, match="under other ids"):
        trained.evaluate_lists(test, histories=train)
    marked = trained.evaluate(test, histories=train, allow_overlap=True)
    assert marked.overlap.count == 0
    assert marked.overlap.renamed is not None
    assert marked.overlap.renamed > 0.9 * len(test)
    assert "under other ids" in marked.notes[0]
    lists = trained.evaluate_lists(test, histories=train, allow_overlap=True)
    assert lists.overlap == marked.overlap
    assert "the score is invalid" in lists.notes[0]
    # A model that was trained on what is given, under the ids of before, has seen no test rating.
    rows = np.isin(
        users + 1000 + 1j * whole.items, train.user_ids.decode(train.users) + 1j * train.items
    )
    held_out = Bias().fit(whole.take(rows))
    assert held_out.evaluate(test, histories=train).overlap.renamed == 0


def test_without_histories_other_ids_cannot_be_checked_and_the_score_says_so(
    tmp_path: Path, parts: tuple[Ratings, Ratings], model: Bias
) -> None:
    bare = load_model(model.save(tmp_path / "bare", histories=False))
    fresh = Ratings.from_arrays([901, 901], ["i1", "i2"], [3, 4])
    result = bare.evaluate(fresh, histories={901: {"i3": 4}})
    assert result.overlap.renamed is None
    assert "1 test people have ids that are not in the training data" in result.notes[0]
    assert "cannot be checked" in result.notes[0]


def test_unknown_users_and_items_are_counted_and_shown_apart(
    model: Bias, parts: tuple[Ratings, Ratings]
) -> None:
    users, items = external(parts[1])
    test = Ratings.from_arrays(
        [*users, 990, 990, 991, 0], [*items, "i1", "zz", "i2", "zz"], [*parts[1].values, 1, 2, 3, 4]
    )
    result = model.evaluate(test)
    coverage = result.coverage
    assert (coverage.unknown_users, coverage.unknown_items) == (2, 1)
    assert (coverage.n_unknown_user, coverage.n_unknown_item) == (3, 2)
    assert coverage.unknown.n == 4
    assert coverage.known.n == len(users)
    assert result.n_test == len(users) + 4
    known = model.evaluate(parts[1])
    assert coverage.known.rmse == pytest.approx(known.rmse, abs=1e-9)
    error = model.predict([990, 990, 991, 0], ["i1", "zz", "i2", "zz"]) - np.array([1, 2, 3, 4])
    assert coverage.unknown.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-9)
    assert coverage.unknown.mae == pytest.approx(np.mean(np.abs(error)), abs=1e-9)
    total = coverage.known.n * coverage.known.rmse**2 + 4 * coverage.unknown.rmse**2  # type: ignore[operator]
    assert result.rmse == pytest.approx(np.sqrt(total / result.n_test), abs=1e-9)
    assert result.by_history[0].ratings == "0"
    assert result.by_history[0].n_users == 2
    assert sum(b.n for b in result.by_history) == result.n_test


def test_nothing_unknown_leaves_that_part_empty(
    model: Bias, parts: tuple[Ratings, Ratings]
) -> None:
    unknown = model.evaluate(parts[1]).coverage.unknown
    assert (unknown.n, unknown.rmse, unknown.mae) == (0, None, None)


def test_bins_are_by_ratings_in_training(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    result = ItemMean().fit(train).evaluate(test)
    counts = np.bincount(train.users, minlength=train.n_users)
    predicted = ItemMean().fit(train).predict(*external(test))
    for row in result.by_history:
        low, _, high = row.ratings.partition("-")
        inside = (counts[test.users] >= int(low)) & (counts[test.users] <= int(high))
        assert row.n == inside.sum()
        assert row.n_users == len(np.unique(test.users[inside]))
        error = predicted[inside] - test.values[inside]
        assert row.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-9)


def test_one_user_has_a_score_and_no_interval(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    test = parts[1]
    one = test.take(test.users == test.users[0])
    result = model.evaluate(one)
    assert result.n_test_users == 1
    assert result.rmse_interval is None
    assert result.baselines["bias"].rmse_gain_interval is None
    assert any("1 test user" in note for note in result.notes)


def test_it_is_plain_json(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    content = json.loads(json.dumps(model.evaluate(parts[1]).as_dict()))
    assert set(content["baselines"]) == {"global_mean", "item_mean", "bias"}
    assert len(content["rmse_interval"]) == 2
    assert content["overlap"]["count"] == 0
    assert "bias" in str(model.evaluate(parts[1]))


def test_bad_test_sets_are_refused(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    with pytest.raises(DataError, match="no test ratings"):
        model.evaluate(parts[1].take(np.empty(0, np.int64)))
    values = parts[1].values.copy()
    values[3] = np.nan
    user = parts[1].user_ids.ids[parts[1].users[3]]
    with pytest.raises(DataError, match=f"by user {user} is nan"):
        model.evaluate(replace(parts[1], values=values))


def test_another_scale_is_reported(model: Bias) -> None:
    test = Ratings.from_arrays([900, 901], ["i1", "i2"], [50, 100])
    assert any("go from 50 to 100" in note for note in model.evaluate(test).notes)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.03, "RMSE is 0.0100 below that of"),
        (-0.001, 0.03, "no better and no worse"),
        (0.0, 0.03, "no better and no worse"),
        (-0.03, -0.001, "is worse than"),
    ],
)
def test_the_verdict_is_that_of_the_interval(
    model: Bias, parts: tuple[Ratings, Ratings], low: float, high: float, verdict: str
) -> None:
    """An estimate above 0 is no gain where the interval holds 0."""
    evaluation = model.evaluate(parts[1])
    gain = 0.01 if high > 0 else -0.01
    baselines = {
        name: replace(each, rmse_gain=gain, rmse_gain_interval=Interval(low, high))
        for name, each in evaluation.baselines.items()
    }
    assert verdict in replace(evaluation, baselines=baselines).verdict


def test_gains_are_paired(model: Bias, parts: tuple[Ratings, Ratings]) -> None:
    """Of a model and itself, on every draw of people: nothing."""
    gain = model.evaluate(parts[1]).baselines["bias"].rmse_gain_interval
    assert gain is not None
    assert gain == pytest.approx((0.0, 0.0), abs=1e-12)
