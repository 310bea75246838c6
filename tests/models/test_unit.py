"""Networks do not depend on the unit of the ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.data import Ratings, split
from matinee.errors import UsageError
from matinee.models.networks import _unit
from matinee.models.networks._unit import unit_of
from matinee.nn import NetworkConfig
from matinee.testing import all_pairs, sample
from matinee.train import Epoch

pytestmark = pytest.mark.usefixtures("one_thread", "stored_codes_are_kept")

OPTIONS: dict[str, Any] = {
    "hidden": [6],
    "batch_size": 16,
    "epochs": 6,
    "score_every": 2,
    "learning_rate": 1e-2,
    "validation": 0.2,
    "shrink": False,  # the network would be multiplied by 0
    "interest": "none",
    "device": "cpu",
}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("default", {"rows": "items", "teacher": "none"}),
    ("default", {"rows": "items", "teacher": "none", "columns": True}),
    ("default", {"output": "ordinal"}),
    ("default", {"input": "ratings", "hidden": [5, 3, 5], "teacher": "none"}),
    ("accurate-autoencoders", {}),
    ("autorec-user", {"l2": 0.1, "validation": 0}),
]


class StoppedError(Exception):
    """Ends a training."""


def fitted(preset: str, ratings: Ratings, options: dict[str, Any], **fit: Any) -> Any:
    return matinee.model(preset, **{**OPTIONS, **options}).fit(ratings, seed=1, **fit)


@pytest.mark.parametrize("factor", [0.125, 16.0])
@pytest.mark.parametrize(("preset", "options"), KINDS)
def test_ratings_times_a_power_of_two(preset: str, options: dict[str, Any], factor: float) -> None:
    train, held = split(sample(), seed=2)
    measure = ("training", "user_mean", "penalty")
    one, other = (
        fitted(
            preset,
            train.multiplied(f),
            options,
            watch={"held": held.multiplied(f)},
            measure=measure,
        )
        for f in (1.0, factor)
    )
    assert other.scale.low == factor * one.scale.low
    users, items = all_pairs(one)
    known, std = one.predict(users, items, with_std=True)
    scaled, scaled_std = other.predict(users, items, with_std=True)
    np.testing.assert_allclose(scaled, factor * known, rtol=1e-6)
    np.testing.assert_allclose(scaled_std, factor * std, rtol=1e-4)
    history = {"new": {"i1": 4.0, "i2": 2.0}}
    new = one.predict(["new"] * 3, ["i3", "i4", "i5"], histories=history)
    history = {"new": {item: factor * value for item, value in history["new"].items()}}
    scaled = other.predict(["new"] * 3, ["i3", "i4", "i5"], histories=history)
    np.testing.assert_allclose(scaled, factor * new, rtol=1e-6)
    assert len(one.epochs) == len(other.epochs)
    for a, b in zip(one.epochs, other.epochs, strict=True):
        assert b.loss == pytest.approx(factor**2 * a.loss)
        assert b.train_rmse == pytest.approx(factor * a.train_rmse)
        assert (b.valid_rmse or 0.0) == pytest.approx(factor * (a.valid_rmse or 0.0))
        assert b.watched["held"] == pytest.approx(factor * a.watched["held"])
        expected = {n: (factor**2 if n == "penalty" else factor) * v for n, v in a.measured.items()}
        assert b.measured == pytest.approx(expected)


@pytest.mark.parametrize("options", [{}, {"output": "ordinal"}])
def test_an_update(options: dict[str, Any]) -> None:
    whole = sample()
    old, new = whole.take(slice(0, len(whole) - 40)), whole.take(slice(len(whole) - 40, None))
    one, other = (
        fitted("default", old.multiplied(f), options).update(new.multiplied(f), epochs=2)
        for f in (1.0, 8.0)
    )
    pairs = all_pairs(one)
    np.testing.assert_allclose(other.predict(*pairs), 8.0 * one.predict(*pairs), rtol=1e-6)


def test_a_resumed_training(tmp_path: Path) -> None:
    ratings = sample().multiplied(4.0)

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        fitted("default", ratings, {"teacher": "none"}, folder=tmp_path, on_epoch=stop)
    resumed = fitted("default", ratings, {"teacher": "none"}, folder=tmp_path, resume=True)
    whole = fitted("default", ratings, {"teacher": "none"})
    pairs = all_pairs(whole)
    assert resumed.predict(*pairs).tolist() == whole.predict(*pairs).tolist()
    assert [e.valid_rmse for e in resumed.epochs] == [e.valid_rmse for e in whole.epochs]


def test_a_checkpoint_of_another_unit_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As versions before wrote it, which trained in the ratings' own unit."""

    def stop(epoch: Epoch) -> None:
        raise StoppedError

    options = {"teacher": "none"}
    ratings = sample().multiplied(4.0)
    with monkeypatch.context() as patch:
        patch.setattr(_unit, "unit_of", lambda *_: 1.0)
        with pytest.raises(StoppedError):
            fitted("default", ratings, options, folder=tmp_path, on_epoch=stop)
    with pytest.raises(UsageError, match="the unit of ratings changed"):
        fitted("default", ratings, options, folder=tmp_path, resume=True)


def test_stored_codes_are_those_of_the_training_ratings(tmp_path: Path) -> None:
    ratings = sample().multiplied(4.0)
    model = fitted("default", ratings, {})
    stored = model._trained.stored
    assert stored is not None
    assert stored.match(model.histories).all()
    saved = matinee.load_model(model.save(tmp_path / "model"))
    pairs = all_pairs(model)
    assert saved.predict(*pairs).tolist() == model.predict(*pairs).tolist()


@pytest.mark.parametrize(
    ("factor", "unit"), [(1.0, 1.0), (1.4, 1.0), (1.42, 2.0), (100.0, 128.0), (0.01, 1 / 128)]
)
def test_the_unit_is_the_power_of_two_nearest_to_the_standard_deviation(
    factor: float, unit: float
) -> None:
    values = np.array([2.0, 4.0, 2.0, 4.0], np.float32)  # of standard deviation 1
    ratings = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], factor * values)
    assert unit_of(ratings, [NetworkConfig()]) == unit
    fixed = NetworkConfig(output_activation="sigmoid")
    assert unit_of(ratings, [NetworkConfig(), fixed]) == 1.0


def test_ratings_in_the_unit_1_are_not_copied() -> None:
    ratings = sample()
    assert ratings.multiplied(1.0) is ratings  # what has been grouped stays so
    assert ratings.by_user.multiplied(1.0).values is ratings.by_user.values


def test_groups_are_multiplied_with_the_ratings() -> None:
    ratings = sample()
    by_user = ratings.by_user
    doubled = ratings.multiplied(2.0)
    assert doubled.by_user.indices is by_user.indices
    assert doubled.by_user.values.tolist() == (2.0 * by_user.values).tolist()
    assert doubled.by_item.values.tolist() == (2.0 * ratings.by_item.values).tolist()


def test_equal_ratings_have_the_unit_1() -> None:
    ratings = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], [70.0] * 4)
    assert unit_of(ratings, [NetworkConfig()]) == 1.0
