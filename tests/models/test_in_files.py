"""Ratings of more than a sixteenth of the memory are in temporary files, with the same results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.synth import write_synthetic


@pytest.mark.parametrize("rows", ["users", "items"])
def test_ratings_in_files_give_the_same_model(
    rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_synthetic(tmp_path / "data", 80, 60, 2500)

    def fitted() -> tuple[matinee.Ratings, matinee.Recommender]:
        ratings = matinee.load(tmp_path / "data")
        train = matinee.split(ratings, 0.2, seed=0)[0]
        model = matinee.Autoencoder("base", rows=rows, hidden=[8], epochs=2, validation=0.1)
        return train, model.fit(train, seed=3)

    train, model = fitted()
    monkeypatch.setattr("matinee.base.memory.memory_limit", lambda: 1)
    monkeypatch.setattr("matinee.base.memory._SMALL", 0)
    train_in_file, model_in_file = fitted()
    for name in ("users", "items", "values", "times"):
        in_memory, in_file = getattr(train, name), getattr(train_in_file, name)
        assert in_memory.base is None
        assert in_file.base is not None
        assert np.array_equal(in_memory, in_file)
    users, items = train.user_ids.ids[train.users], train.item_ids.ids[train.items]
    predicted = model.predict(users, items)
    assert np.array_equal(predicted, model_in_file.predict(users, items))
    lists, lists_in_file = (each.recommend(train, k=5) for each in (model, model_in_file))
    assert list(lists) == list(lists_in_file)
