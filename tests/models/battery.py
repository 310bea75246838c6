"""What every model must do, whatever it is. One class of tests, run over a list of cases:

@pytest.mark.parametrize("case", CASES, ids=str)
class TestMyModel(Battery): ...
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.data import Histories, ItemTable, Ratings, Scale, Table
from matinee.errors import DataError, LeakError, UnknownIdError, UsageError
from matinee.models import Recommender, load_model


@dataclass(frozen=True)
class Case:
    """A model to try.

    Attributes:
        name: For reports.
        make: A new, unfitted model, quick to fit.
        learns: Whether it learns tastes, so that the checkerboard holds.
        make_real: The model for the bound on real data; ``make`` by default.
        bound: RMSE it must reach on ml-100k u1, or None for no such test.
        above: RMSE it cannot honestly beat there: lower means a leak.
    """

    name: str
    make: Callable[[], Recommender]
    learns: bool
    make_real: Callable[[], Recommender] | None = None
    bound: float | None = None
    above: float = 0.85

    def __str__(self) -> str:
        return self.name


@lru_cache
def sample() -> Ratings:
    """60 users, numbered from 100 up, of 40 items with text ids and titles; half-star ratings."""
    rng = np.random.default_rng(5)
    pairs = rng.choice(60 * 40, 900, replace=False)
    users, items = pairs // 40, pairs % 40
    taste = rng.normal(0, 1, (60, 3)), rng.normal(0, 1, (40, 3))
    raw = 3 + (taste[0][users] * taste[1][items]).sum(1) / 2 + rng.normal(0, 0.5, 900)
    values = np.clip(np.rint(raw * 2) / 2, 0.5, 5)
    base = Ratings.from_arrays(
        users + 100, [f"item-{i:02}" for i in items], values, scale=Scale(0.5, 5), name="sample"
    )
    titles = np.array([f"Title of {name}" for name in base.item_ids.ids], dtype=object)
    genres = np.empty(base.n_items, dtype=object)
    genres[:] = [("Drama", "War")[: i % 3] for i in range(base.n_items)]
    return Ratings(
        **{**base.__dict__, "item_table": ItemTable(titles, genres), "notes": ("a note",)}
    )


@lru_cache
def checkerboard() -> Ratings:
    """Users like the items of their own parity (4 or 5) and no others (1 or 2); half are rated."""
    rng = np.random.default_rng(3)
    users, items = np.divmod(np.arange(120 * 40), 40)
    kept = rng.permutation(len(users))[: len(users) // 2]
    users, items = users[kept], items[kept]
    like = (users + items) % 2 == 0
    return Ratings.from_arrays(users, items, np.where(like, 4, 1) + rng.integers(0, 2, len(kept)))


@lru_cache
def fitted(case: Case) -> Recommender:
    """The case's model fitted on the sample; tests must not change it."""
    return case.make().fit(sample(), seed=3)


def everything(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of a known user and a known item."""
    users, items = np.divmod(np.arange(ratings.n_users * ratings.n_items), ratings.n_items)
    return ratings.user_ids.decode(users), ratings.item_ids.decode(items)


def seen_by(ratings: Ratings) -> dict[Any, dict[Any, float]]:
    """The ratings of each user as a mapping."""
    seen: dict[Any, dict[Any, float]] = {}
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    for user, item, value in zip(users, items, ratings.values.tolist(), strict=True):
        seen.setdefault(user, {})[item] = value
    return seen


def same(one: Table, other: Table) -> bool:
    """Whether two tables hold the same rows, scores within rounding."""
    return list(one.columns) == list(other.columns) and all(
        np.allclose(one[n], other[n], atol=1e-5)
        if one[n].dtype.kind == "f"
        else one[n].tolist() == other[n].tolist()
        for n in one.columns
    )


class Battery:
    """The tests; subclass it under a ``parametrize`` of "case"."""

    def test_fit_returns_the_model(self, case: Case) -> None:
        model = case.make()
        assert "not fitted" in repr(model)
        assert model.fit(sample(), seed=3) is model
        assert "60 users, 40 items" in repr(model)

    def test_an_unfitted_model_says_so(self, case: Case) -> None:
        model = case.make()
        for ask in (
            lambda: model.predict([1], [1]),
            lambda: model.recommend([{}]),
            lambda: model.evaluate(sample()),
            lambda: model.save("nowhere"),
        ):
            with pytest.raises(UsageError, match="not fitted"):
                ask()

    def test_refitting_gives_the_same(self, case: Case) -> None:
        users, items = everything(sample())
        one = fitted(case).predict(users, items)
        model = case.make().fit(checkerboard(), seed=1)
        assert np.array_equal(model.fit(sample(), seed=3).predict(users, items), one)

    def test_saved_and_loaded_it_is_the_same(self, case: Case, tmp_path: Path) -> None:
        model, (users, items) = fitted(case), everything(sample())
        model.save(tmp_path / "model", extra={"split": {"holdout": 0.2}, "why": "battery"})
        back = load_model(tmp_path / "model")
        assert type(back) is type(model)
        assert np.array_equal(back.predict(users, items), model.predict(users, items))
        new = [{"item-01": 5.0, "item-07": 0.5}]
        assert same(back.recommend(new), model.recommend(new))
        assert same(back.recommend(users=[101, 100]), model.recommend(users=[101, 100]))
        assert back.provenance == model.provenance
        assert back.record == {"split": {"holdout": 0.2}, "why": "battery"}
        assert back.scale == model.scale
        assert back.clip == model.clip
        assert back.item_table is not None
        assert back.item_table.genres.tolist() == sample().item_table.genres.tolist()  # type: ignore
        with pytest.raises(LeakError, match="seen 900 of 900"):
            back.evaluate(sample())

    def test_without_histories_new_people_are_served(self, case: Case, tmp_path: Path) -> None:
        model = fitted(case)
        model.save(tmp_path / "model", histories=False)
        back = load_model(tmp_path / "model")
        assert not (tmp_path / "model" / "histories.parquet").exists()
        new = {"ann": {"item-01": 5.0, "item-07": 0.5}}
        assert same(back.recommend(new), model.recommend(new))
        with pytest.raises(UsageError, match="pass histories"):
            back.recommend(users=[101])
        with pytest.raises(LeakError, match="seen 900 of 900"):
            back.evaluate(sample(), histories=new)

    def test_one_at_a_time_is_the_same_as_many(self, case: Case) -> None:
        model, (users, items) = fitted(case), everything(sample())
        order = np.random.default_rng(0).permutation(len(users))[:300]
        many = model.predict(users[order], items[order])
        single = [model.predict([users[at]], [items[at]])[0] for at in order]
        assert np.allclose(many, single, atol=1e-5)
        assert np.allclose(model.predict(users, items)[order], many, atol=1e-5)
        table = model.recommend(users=[103, 100, 159], k=5)
        each = Table.concat([model.recommend(users=[u], k=5) for u in (103, 100, 159)])
        assert same(table, each)

    def test_known_and_new_people_with_one_history_are_alike(self, case: Case) -> None:
        model, history = fitted(case), seen_by(sample())[104]
        known, new = model.recommend(users=[104]), model.recommend({"new": history})
        assert known["item_id"].tolist() == new["item_id"].tolist()
        assert np.allclose(known["score"], new["score"], atol=1e-5)
        items = sample().item_ids.ids
        told = model.predict("new", items, histories={"new": history})
        assert np.allclose(told, model.predict(104, items), atol=1e-5)

    def test_lists_carry_the_predicted_rating(self, case: Case) -> None:
        model = fitted(case)
        table = model.recommend(users=[100, 101, 102], k=40, include_seen=True)
        assert len(table) == 120
        predicted = model.predict(table["user_id"], table["item_id"])
        name = "score" if model.interest is None else "predicted"
        assert np.allclose(table[name], predicted, atol=1e-4)

    def test_love_moves_lists_from_interest_to_the_predicted_rating(self, case: Case) -> None:
        model = fitted(case)
        by_rating = model.recommend(users=[100, 101], k=40, love=math.inf)
        name = "score" if model.interest is None else "predicted"
        for user in (100, 101):
            assert (np.diff(by_rating[name][by_rating["user_id"] == user]) <= 1e-6).all()
        for wrong in (-1, "much", math.nan, True):
            with pytest.raises(UsageError, match="love must be a number of at least 0"):
                model.recommend(users=[100], love=wrong)
        if model.interest is None:
            return
        people = model.histories.take([0, 1])
        scores = model.rank_scores_coded(people, 0.0)
        assert np.allclose(scores, model.interest.scores(people))
        liked = model.preference.probability(model.scores_coded(people).astype(np.float64))
        size = np.sqrt(np.mean(scores**2, axis=1, keepdims=True))
        both = np.maximum(scores, model.floor * size) * liked**2
        assert np.allclose(model.rank_scores_coded(people, 2.0), both, atol=1e-5)

    def test_an_empty_history_is_answered_by_item(self, case: Case) -> None:
        model = fitted(case)
        items = sample().item_ids.ids
        expected = model.bias.mean + model.bias.item_bias.astype(np.float64)
        if model.clip:
            expected = expected.clip(model.scale.low, model.scale.high)
        told = model.predict(np.zeros(len(items), dtype=int), items, histories=[{}])
        assert np.allclose(told, expected, atol=1e-5)
        table = model.recommend([{}], k=5)
        popular = model.rank_scores_coded(Histories.build([([], [])]))[0]
        if model.interest is None:
            assert np.allclose(popular, model.bias.mean + model.bias.item_bias, atol=1e-5)
        else:
            liked = model.preference.probability(expected)
            counts = model.interest.counts / model.interest.counts.max()
            floor = model.floor * np.sqrt(np.mean(counts**2))
            wanted = np.maximum(counts, floor) * liked**model.love
            assert np.allclose(popular / popular.max(), wanted / wanted.max(), atol=0.02)
        best = np.argsort(-popular, kind="stable")[:5]
        assert table["item_id"].tolist() == items[best].tolist()
        mixed = model.recommend([{}, {"item-03": 5}], k=5)
        assert same(mixed.take(slice(0, 5)), table)
        assert len(mixed) == 10

    def test_unknown_users_and_items_are_answered_by_the_bias_model(self, case: Case) -> None:
        model, bias = fitted(case), fitted(case).bias
        own = bias.user_bias(model.histories)[3]  # type: ignore[arg-type]
        told = model.predict([999, 103, 999], ["item-04", "never", "never"])
        expected = [bias.mean + bias.item_bias[4], bias.mean + own, bias.mean]
        assert np.allclose(told, expected, atol=1e-5)
        assert np.isfinite(told).all()

    def test_unknown_ids_are_named_or_left_out(self, case: Case) -> None:
        model = fitted(case)
        for ask, name in (
            (lambda **o: model.recommend(users=[100, 998, "bob"], **o), "users: 998, bob"),
            (lambda **o: model.recommend([{"item-01": 5, "xyz": 1}], **o), "item: xyz"),
            (lambda **o: model.recommend(users=[100], only=["item-01", "abc"], **o), "item: abc"),
            (lambda **o: model.recommend(users=[100], exclude=["item-1"], **o), "item: item-1"),
        ):
            with pytest.raises(UnknownIdError, match=f"unknown {name}"):
                ask()
            assert isinstance(ask(unknown="skip"), Table)
        assert len(model.recommend(users=[998], unknown="skip")) == 0
        one = model.recommend([{"item-01": 5, "xyz": 1}], unknown="skip")
        assert same(one, model.recommend([{"item-01": 5}]))

    def test_ids_as_text_mean_the_same(self, case: Case) -> None:
        model = fitted(case)
        assert model.predict("104", "item-04") == model.predict(104, "item-04")
        assert same(model.recommend(users=["104"]), model.recommend(users=[104]))

    def test_tables_have_their_columns(self, case: Case) -> None:
        table = fitted(case).recommend(users=[105, 102], k=4)
        predicted = [] if fitted(case).interest is None else ["predicted"]
        assert list(table.columns) == ["user_id", "item_id", "score", "rank", *predicted, "title"]
        assert table["user_id"].dtype == np.int64
        assert table["item_id"].dtype == object
        assert table["score"].dtype == np.float64
        assert table["rank"].dtype == np.int32
        assert table["user_id"].tolist() == [105] * 4 + [102] * 4
        assert table["rank"].tolist() == [1, 2, 3, 4] * 2
        assert table["title"].tolist() == [f"Title of {i}" for i in table["item_id"]]
        for user in (105, 102):
            assert (np.diff(table["score"][table["user_id"] == user]) <= 0).all()
        name = "predicted" if predicted else "score"
        if fitted(case).clip:
            assert (table[name] >= 0.5).all()
            assert (table[name] <= 5).all()
        highest = fitted(case).recommend(users=[105, 102], k=4, love=math.inf)
        assert (highest[name] >= 0.5).all()  # also where predictions are not clipped
        none = fitted(case).recommend(users=[105], k=4, only=[])
        assert list(none.columns) == list(table.columns)
        assert len(none) == 0

    def test_predictions_have_their_dtype_and_scale(self, case: Case) -> None:
        model = fitted(case)
        told = model.predict(*everything(sample()))
        assert told.dtype == np.float64
        assert told.shape == (60 * 40,)
        assert np.isfinite(told).all()
        if model.clip:
            assert told.min() >= 0.5
            assert told.max() <= 5

    def test_standard_deviations_come_with_predictions(self, case: Case, tmp_path: Path) -> None:
        model, (users, items) = fitted(case), everything(sample())
        told, std = model.predict(users, items, with_std=True)
        assert np.allclose(told, model.predict(users, items), atol=1e-6)
        assert std.dtype == np.float64
        assert std.shape == told.shape
        assert (std > 0.1).all()
        assert (std < 4.5).all()
        unsure = [(999, "never"), (999, "item-04"), (103, "never")]
        for user, item in unsure:
            assert 0.1 < model.predict(user, item, with_std=True)[1][0] < 4.5
        new = {"ann": {"item-01": 5.0, "item-07": 0.5}}
        table = model.recommend(new, k=5, with_std=True)
        predicted = [] if model.interest is None else ["predicted"]
        names = ["user_id", "item_id", "score", "rank", *predicted, "std", "title"]
        assert list(table.columns) == names
        asked = model.predict("ann", table["item_id"], histories=new, with_std=True)
        assert np.allclose(table["std"], asked[1], atol=1e-6)
        assert same(
            Table({n: c for n, c in table.columns.items() if n != "std"}), model.recommend(new, k=5)
        )
        back = load_model(model.save(tmp_path / "model"))
        assert np.array_equal(back.predict(users, items, with_std=True)[1], std)
        back.spread = None  # as in the folders of earlier versions
        with pytest.raises(UsageError, match="saved without standard deviations; train it anew"):
            back.predict(users, items, with_std=True)

    def test_nothing_seen_is_recommended(self, case: Case) -> None:
        seen = seen_by(sample())
        tables = list(fitted(case).recommend_all(k=40))
        table = Table.concat(tables)
        pairs = list(zip(table["user_id"].tolist(), table["item_id"].tolist(), strict=True))
        assert len(set(pairs)) == len(pairs) == 60 * 40 - 900
        assert not any(item in seen[user] for user, item in pairs)
        again = fitted(case).recommend(users=[100], k=40, include_seen=True)
        assert len(again) == 40

    def test_exclude_and_only_are_respected(self, case: Case) -> None:
        model = fitted(case)
        some = [f"item-{i:02}" for i in range(0, 40, 3)]
        only = model.recommend([{"item-03": 4.0}], only=some, k=40)
        assert set(only["item_id"]) == set(some) - {"item-03"}
        rest = model.recommend([{"item-03": 4.0}], exclude=some, k=40)
        assert set(rest["item_id"]) == {f"item-{i:02}" for i in range(40)} - set(some)
        both = model.recommend([{}], only=some, exclude=some[:5], k=40)
        assert set(both["item_id"]) == set(some[5:])

    def test_k_must_make_sense(self, case: Case) -> None:
        for k in (0, -1, 2.5, "3", True):
            with pytest.raises(UsageError, match="k must be"):
                fitted(case).recommend([{}], k=k)  # type: ignore[arg-type]

    def test_nothing_given_is_changed(self, case: Case) -> None:
        ratings = Ratings(**{k: v for k, v in sample().__dict__.items() if not k.startswith("by_")})
        arrays = [ratings.users, ratings.items, ratings.values, ratings.user_ids.ids]
        arrays += [ratings.item_ids.ids, ratings.item_table.titles]  # type: ignore[union-attr]
        copies = [array.copy() for array in arrays]
        for array in arrays:
            array.setflags(write=False)
        try:
            model = case.make().fit(ratings, seed=3)
            history = {"item-01": 5.0}
            given = {"ann": history}
            model.recommend(given, exclude=["item-02"])
            model.predict(np.array([100]), np.array(["item-01"], dtype=object), histories=given)
            model.evaluate(ratings, allow_overlap=True)
        finally:
            for array in arrays:
                array.setflags(write=True)
        assert all(np.array_equal(a, b) for a, b in zip(arrays, copies, strict=True))
        assert given == {"ann": {"item-01": 5.0}}

    def test_users_that_have_no_ratings_are_no_matter(self, case: Case) -> None:
        """A part of a split shares its vocabulary with the other: some codes have no rating."""
        part = sample().take(sample().users > 3)
        model = case.make().fit(part, seed=3)
        assert model.n_users == 56
        with pytest.raises(UnknownIdError, match="unknown user: 101"):
            model.recommend(users=[101])
        assert np.isfinite(model.predict([101, 110], ["item-05", "item-05"])).all()

    @pytest.mark.parametrize(
        ("users", "items", "values"),
        [
            ([1, 1], [1, 2], [3.0, 4.0]),
            ([1, 2], [1, 1], [3.0, 4.0]),
            ([1, 2, 3], [1, 2, 2], [3.0, 4.0, np.nan]),
            ([1, 2, 2], [1, 2, 2], [3.0, 4.0, 4.0]),
        ],
        ids=["one user", "one item", "nan", "repeated"],
    )
    def test_hopeless_ratings_are_refused(
        self, case: Case, users: list[int], items: list[int], values: list[float]
    ) -> None:
        with pytest.raises(DataError, match="ratings: "):
            case.make().fit(Ratings.from_arrays(users, items, values, scale=Scale(1, 5)))

    def test_the_least_of_ratings_will_do(self, case: Case) -> None:
        least = Ratings.from_arrays(["a", "b"], ["x", "y"], [0.0, 0.0], scale=Scale(0, 0))
        model = case.make().fit(least)
        told = model.predict(["a", "b"], ["y", "x"])
        assert np.allclose(told, 0, atol=0 if model.clip else 0.1)
        assert model.recommend(users=["a"])["item_id"].tolist() == ["y"]

    def test_tastes_are_learned(self, case: Case) -> None:
        if not case.learns:
            pytest.skip(f"{case.name} learns no tastes")
        board = checkerboard()
        model = case.make().fit(board, seed=0)
        table = Table.concat(list(model.recommend_all(k=5)))
        liked = (table["user_id"] + table["item_id"]) % 2 == 0
        assert liked.mean() > 0.97
        # A new person who liked two even items and disliked an odd one.
        new = model.recommend([{0: 5, 2: 5, 4: 4, 1: 1, 3: 1, 7: 2}], k=10)
        assert (new["item_id"] % 2 == 0).mean() > 0.85

    def test_real_ratings_within_bounds(self, case: Case, real_data: Callable[[str], Path]) -> None:
        if case.bound is None:
            pytest.skip(f"no bound is set for {case.name}")
        train, test = u1(real_data("ml-100k"))
        make = case.make_real or case.make
        result = make().fit(train, seed=0).evaluate(test)
        assert case.above < result.rmse <= case.bound
        assert result.overlap.count == 0
        assert result.n_test == 20_000


@lru_cache
def u1(folder: Path) -> tuple[Ratings, Ratings]:
    """The first canonical split of MovieLens-100K."""
    parts = []
    for name in ("u1.base", "u1.test"):
        rows = np.loadtxt(folder / name)
        users, items = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
        parts.append(Ratings.from_arrays(users, items, rows[:, 2], scale=Scale(1, 5), name=name))
    return parts[0], parts[1]
