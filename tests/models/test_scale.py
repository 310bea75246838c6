"""The rating scale is stated, or that of the training part: nothing held out moves a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.data import Ratings, Scale, split, split_parts
from matinee.data.splits.named import named_split
from matinee.models import Autoencoder, Bias
from matinee.testing import sample


def with_test_rating(value: float) -> tuple[Ratings, Ratings]:
    """A split in which one rating of the test part is another."""
    whole = sample()
    train, test = split(whole, seed=4)
    at = np.flatnonzero((whole.users == test.users[0]) & (whole.items == test.items[0]))
    values = whole.values.copy()
    values[at] = value
    users, items = whole.user_ids.decode(whole.users), whole.item_ids.decode(whole.items)
    changed, held = split(Ratings.from_arrays(users, items, values), seed=4)
    assert held.values[0] == value
    assert changed.values.tolist() == train.values.tolist()
    return changed, held


def test_a_held_out_rating_moves_no_weight() -> None:
    options = {"hidden": [4], "epochs": 2, "teacher": "none", "validation": 0.3, "device": "cpu"}
    models = []
    for value in (3.0, 9.0):
        train, held = with_test_rating(value)
        model = Autoencoder(**options).fit(train)
        models.append((model, held))
    (one, _), (other, held) = models
    assert one.scale == other.scale
    for name, array in one._state()[0].items():
        np.testing.assert_array_equal(array, other._state()[0][name], err_msg=name)
    assert one.predict([0], ["i1"]).tolist() == other.predict([0], ["i1"]).tolist()
    assert any("the model's scale" in note for note in other.evaluate(held).notes)


def test_the_scale_is_that_of_the_training_part() -> None:
    train, _ = with_test_rating(9.0)
    model = Bias().fit(train)
    assert model.scale == Scale(train.values.min(), train.values.max())
    assert model.predict(["nobody"], ["nothing"]).max() <= model.scale.high


def test_a_stated_scale_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "ratings.csv"
    rows = [f"{user},{item},{1 + (user + item) % 3}" for user in range(6) for item in range(6)]
    file.write_text("\n".join(["user,item,rating", *rows]) + "\n")
    whole = matinee.load(file, scale=(0, 10))
    assert Bias().fit(split(whole)[0]).scale == Scale(0, 10)
    parts = split_parts(whole, "people")
    assert Bias().fit(parts.train.compact()).scale == Scale(0, 10)
    assert Bias().fit(matinee.load(file)).scale == Scale(1, 3)
    arrays = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], [2, 3, 2, 3], scale=Scale(1, 5))
    assert Bias().fit(arrays).scale == Scale(1, 5)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_named_split_has_the_scale_of_its_training_part(tmp_path: Path, part: str) -> None:
    for name in ("train", "test"):
        odd = 7 if name == part else 3
        rows = [f"{user},{item},{2 + (user + item) % 2}" for user in range(4) for item in range(4)]
        if name == "test":
            rows = ["0,9,2", f"1,9,{odd}"]
        else:
            rows.append(f"3,8,{odd}")
        (tmp_path / f"{name}.csv").write_text("\n".join(["user,item,rating", *rows]) + "\n")
    assert Bias().fit(named_split(tmp_path)[0]).scale == Scale(2, 7 if part == "train" else 3)
