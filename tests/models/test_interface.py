"""What the common part of a model does, apart from any model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from matinee.base import memory
from matinee.data import Histories, Ratings, Table, write_tables
from matinee.errors import LeakError, TrainingError, UsageError
from matinee.models import Bias, Recommender, _answers as answering
from matinee.recommend import _rank
from matinee.testing import all_pairs, histories_by_user, sample


class Spy(Recommender):
    """Predicts a number made of the item and the person's history, and checks what it is asked."""

    kind = "spy"
    clip = False

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def _fit(self, train: Ratings, seed: int, *, step: float = 1.0) -> None:
        self.step = step

    def _predict(self, histories: Histories, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
        assert (histories.counts > 0).all()
        assert (np.diff(rows) >= 0).all()
        assert rows.dtype == np.int64
        assert items.dtype == np.int32
        assert (items >= 0).all()
        assert set(rows.tolist()) == set(range(len(histories)))
        self.calls.append((len(histories), len(rows)))
        return items + self.step * histories.counts[rows]

    def _scores(self, histories: Histories) -> np.ndarray:
        assert (histories.counts > 0).all()
        assert len(histories) > 0
        shape = len(histories), self.n_items
        scores = np.arange(self.n_items) + self.step * histories.counts[:, None]
        return scores.astype(np.float32).reshape(shape)

    def _state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, {}

    @classmethod
    def _restore(cls, tensors: dict[str, Any], config: dict[str, Any]) -> Self:
        return cls()


def test_options_reach_the_model() -> None:
    assert Spy().fit(sample(), step=2.5).step == 2.5
    with pytest.raises(TypeError, match="steps"):
        Spy().fit(sample(), steps=2.5)


@pytest.mark.parametrize(
    ("people", "entries"), [(4096, 1 << 20), (7, 1 << 20), (4096, 100), (1, 1)]
)
def test_predictions_come_in_batches(
    monkeypatch: pytest.MonkeyPatch, people: int, entries: int
) -> None:
    monkeypatch.setattr(answering, "_PEOPLE", people)
    monkeypatch.setattr(answering, "_ENTRIES", entries)
    model = Spy().fit(sample())
    users, items = all_pairs(sample())
    order = np.random.default_rng(1).permutation(len(users))
    predicted = model.predict(users[order], items[order])
    counts = model.histories.counts  # type: ignore[union-attr]
    expected = order % 40 + counts[order // 40]
    assert np.array_equal(predicted, expected)
    assert sum(n for _, n in model.calls) == len(users)
    assert all(p <= people for p, _ in model.calls)
    assert all(n <= max(entries, 40) for _, n in model.calls)


def test_the_order_of_the_questions_does_not_matter() -> None:
    model = Spy().fit(sample())
    users, items = all_pairs(sample())
    order = np.random.default_rng(1).permutation(len(users))
    predicted, std = model.predict(users, items, with_std=True)
    assert [n for _, n in model.calls] == [len(users)]
    again, std_again = model.predict(users[order], items[order], with_std=True)
    np.testing.assert_array_equal(again, predicted[order])
    np.testing.assert_allclose(std_again, std[order], rtol=1e-12)
    assert np.array_equal(model.predict(users[order], items[order]), predicted[order])


def test_standard_deviations_of_what_was_predicted_before() -> None:
    model = Spy().fit(sample())
    histories = model.histories.take([3, 5, 8])  # type: ignore[union-attr]
    rows, items = np.repeat([0, 1, 2, -1], 10), np.tile(np.arange(-1, 9, dtype=np.int32), 4)
    shown, std = model.predict_coded_std(histories, rows, items)
    before = model.predict_coded(histories, rows, items, clip=False)
    asked = len(model.calls)
    again, std_again = model.predict_coded_std(histories, rows, items, before)
    assert len(model.calls) == asked
    np.testing.assert_array_equal(again, shown)
    np.testing.assert_array_equal(std_again, std)


def test_a_model_that_gives_no_numbers_is_caught() -> None:
    model = Spy().fit(sample(), step=np.nan)
    with pytest.raises(TrainingError, match="not numbers"):
        model.recommend(users=[100])


def test_a_given_history_is_the_one_used() -> None:
    """Even for someone the model knows; and its items are the ones not recommended."""
    model = Spy().fit(sample())
    table = model.recommend({104: {"item-39": 5.0}}, k=39)
    assert set(table["item_id"]) == {f"item-{i:02}" for i in range(39)}
    assert model.predict(104, "item-10", histories={104: {"item-39": 5.0}})[0] == 11


def test_one_user_for_many_items_and_the_reverse() -> None:
    model = Spy().fit(sample())
    assert model.predict(104, ["item-01", "item-02"]).shape == (2,)
    assert model.predict([104, 105, 106], "item-01").shape == (3,)
    assert model.predict([], []).shape == (0,)
    with pytest.raises(UsageError, match="differ in length"):
        model.predict([1, 2], ["a", "b", "c"])
    with pytest.raises(UsageError, match=r"ids of shape \(1, 1\): pass one column"):
        model.predict(np.array([[104]]), "item-01")
    with pytest.raises(UsageError, match="a set has no order"):
        model.predict({104, 105}, ["item-01", "item-02"])
    with pytest.raises(UsageError, match=r"a mapping: pass a list of ids \(those of exclude"):
        model.recommend(users=[104], exclude={104: ["item-01"]})
    for nested in ([["item-01"]], pd.MultiIndex.from_tuples([(104, "item-01")])):
        with pytest.raises(UsageError, match="is no id but holds several"):
            model.predict(104, nested)


@pytest.mark.parametrize(
    "items",
    [
        pa.array(["item-01", None]),
        pa.chunked_array([["item-01"], [None]]),
        pa.array(["item-01", None]).dictionary_encode(),
        pd.array(["item-01", None], dtype="string"),
        pl.Series(["item-01", None]),
        np.ma.masked_array(["item-01", "item-02"], mask=[False, True]),
    ],
    ids=lambda items: f"{type(items).__module__}.{type(items).__name__}",
)
def test_ids_in_columns_of_other_libraries(items: Any) -> None:
    model = Spy().fit(sample())
    assert model.predict(104, items).tolist() == model.predict(104, ["item-01", "other"]).tolist()
    table = model.recommend(users=[104], k=1, only=items[:1])
    assert table["item_id"].tolist() == ["item-01"]


def test_a_scalar_tensor_is_an_id() -> None:
    model = Spy().fit(sample())
    assert model.predict(torch.tensor(104), "item-01") == model.predict(104, "item-01")


def test_users_or_histories_are_required() -> None:
    with pytest.raises(UsageError, match="recommend_all"):
        Spy().fit(sample()).recommend()


def test_users_pick_among_given_histories() -> None:
    model = Spy().fit(sample())
    histories = {"ann": {"item-01": 5.0}, "bob": {"item-02": 5.0}}
    assert model.recommend(histories, users=["bob"], k=1)["user_id"].tolist() == ["bob"]


def test_a_table_of_ratings_is_a_set_of_histories() -> None:
    model = Spy().fit(sample())
    new = Ratings.from_arrays(["u", "v", "u"], ["item-01", "item-39", "item-02"], [1, 2, 3])
    table = model.recommend(new, k=2)
    assert table["user_id"].tolist() == ["u", "u", "v", "v"]
    assert table["item_id"].tolist() == ["item-39", "item-38", "item-38", "item-37"]
    frame = pd.DataFrame({"user": ["u"], "item": ["item-39"], "rating": [3.0]})
    assert model.recommend(frame, k=1)["item_id"].tolist() == ["item-38"]


def test_everyone_is_streamed_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rank, "_SCORES", 40 * 7)
    monkeypatch.setattr(memory, "FEWEST_ROWS", 1)
    model = Bias().fit(sample())
    tables = list(model.recommend_all(k=3))
    assert [len(table) for table in tables] == [21] * 8 + [12]
    path = write_tables(model.recommend_all(k=3), tmp_path / "all.parquet")
    with duckdb.connect() as db:
        back = db.execute(f"SELECT * FROM '{path}'").fetchnumpy()
    whole = Table.concat(tables)
    for name in whole.columns:
        assert back[name].tolist() == whole[name].tolist()


def test_bad_requests_fail_before_the_stream_starts() -> None:
    with pytest.raises(UsageError, match="k must be"):
        Spy().fit(sample()).recommend_all(k=0)


def test_people_held_out_are_scored_on_what_they_are_shown() -> None:
    data = sample()
    train = data.take(data.users < 50)
    rest = data.take(data.users >= 50)
    shown, asked = rest.take(rest.items % 2 == 0), rest.take(rest.items % 2 == 1)
    model = Bias().fit(train)
    blind, seeing = model.evaluate(asked), model.evaluate(asked, histories=shown)
    assert blind.coverage.unknown.n == len(asked)
    assert seeing.coverage.known.n == len(asked)
    assert seeing.rmse != blind.rmse
    users = asked.user_ids.decode(asked.users)
    items = asked.item_ids.decode(asked.items)
    predicted = model.predict(users, items, histories=histories_by_user(shown))
    assert seeing.rmse == pytest.approx(np.sqrt(np.mean((predicted - asked.values) ** 2)), abs=1e-9)
    with pytest.raises(LeakError, match="has seen"):
        model.evaluate(rest, histories=shown)


def test_the_guard_and_the_fingerprint_follow_the_data() -> None:
    one, two = Bias().fit(sample()), Bias().fit(sample().take(np.arange(899)))
    assert one.provenance.fingerprint != two.provenance.fingerprint
    assert len(one.leak_guard) == 900
    one.fit(sample().take(np.arange(899)))
    assert one.provenance == two.provenance
    assert len(one.leak_guard) == 899
