"""``ModelBattery``: the contract of ``Recommender`` as a class of pytest tests."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Histories, Ratings, Scale, Table
from ..errors import DataError, LeakError, UnknownIdError, UsageError
from ..models import forget, load_model
from ..recommend import LARGEST_POWER
from .cases import ModelCase, fitted, refitted
from .samples import all_pairs, histories_by_user, same_rows, sample

try:
    import pytest
except ImportError as error:
    raise UsageError("matinee.testing needs pytest: pip install pytest") from error


class ModelBattery:
    """The contract of ``Recommender``: fitting, prediction, recommendation, saving and errors.

    Subclass it with the cases to test. In a test file, with ``MyModel`` a ``Recommender``::

        import pytest
        from matinee.testing import ModelBattery, ModelCase

        CASES = [ModelCase("mine", MyModel, learns=True, stored=False)]


        @pytest.mark.parametrize("case", CASES, ids=str)
        class TestMyModel(ModelBattery):
            pass

    For the values in failed assertions, put ``pytest.register_assert_rewrite("matinee.testing")``
    into ``conftest.py``.
    """

    def test_an_unfitted_model_raises(self, case: ModelCase) -> None:
        model = case.make()
        for ask in (
            lambda: model.predict([1], [1]),
            lambda: model.recommend([{}]),
            lambda: model.evaluate(sample()),
            lambda: model.save("nowhere"),
        ):
            with pytest.raises(UsageError, match="not fitted"):
                ask()

    def test_refitting_is_deterministic(self, case: ModelCase) -> None:
        users, items = all_pairs(sample())
        one = fitted(case).predict(users, items)
        assert np.array_equal(refitted(case).model.predict(users, items), one)

    def test_a_loaded_model_answers_as_the_saved_one(self, case: ModelCase, tmp_path: Path) -> None:
        _require_stored(case)
        model, (users, items) = fitted(case), all_pairs(sample())
        model.save(tmp_path / "model", extra={"split": {"holdout": 0.2}, "why": "battery"})
        back = load_model(tmp_path / "model")
        assert type(back) is type(model)
        assert np.array_equal(back.predict(users, items), model.predict(users, items))
        new = [{"item-01": 5.0, "item-07": 0.5}]
        assert same_rows(back.recommend(new), model.recommend(new))
        assert same_rows(back.recommend(users=[101, 100]), model.recommend(users=[101, 100]))
        assert back.provenance == model.provenance
        assert back.record == {"split": {"holdout": 0.2}, "why": "battery"}
        assert back.scale == model.scale
        assert back.clip == model.clip
        assert back.item_table is not None
        assert back.item_table.genres.tolist() == sample().item_table.genres.tolist()  # type: ignore
        with pytest.raises(LeakError, match="seen 900 of 900"):
            back.evaluate(sample())

    def test_a_pickled_model_answers_as_the_original(self, case: ModelCase) -> None:
        model, (users, items) = fitted(case), all_pairs(sample())
        back = pickle.loads(pickle.dumps(model))
        assert np.array_equal(back.predict(users, items), model.predict(users, items))
        assert same_rows(back.recommend([{"item-01": 5.0}]), model.recommend([{"item-01": 5.0}]))

    def test_saved_without_histories_it_answers_for_new_people(
        self, case: ModelCase, tmp_path: Path
    ) -> None:
        _require_stored(case)
        model = fitted(case)
        model.save(tmp_path / "model", histories=False)
        back = load_model(tmp_path / "model")
        assert not (tmp_path / "model" / "histories.parquet").exists()
        new = {"ann": {"item-01": 5.0, "item-07": 0.5}}
        assert same_rows(back.recommend(new), model.recommend(new))
        with pytest.raises(UsageError, match="pass histories"):
            back.recommend(users=[101])
        with pytest.raises(LeakError, match="seen 900 of 900"):
            back.evaluate(sample(), histories=new)

    def test_people_are_removed_from_a_folder(self, case: ModelCase, tmp_path: Path) -> None:
        _require_stored(case)
        folder, (users, items) = fitted(case).save(tmp_path / "model"), all_pairs(sample())
        assert forget(folder, {"100", "131"}.__contains__) == 2
        fewer = load_model(folder)
        assert not {100, 131} & set(fewer.user_ids.ids.tolist())
        others = ~np.isin(users, [100, 131])
        moved = fewer.predict(users[others], items[others])
        moved -= fitted(case).predict(users[others], items[others])
        assert np.abs(moved).mean() < 0.05  # without the ratings removed, items as rows differ
        new = [{"item-01": 5.0, "item-07": 0.5}]
        assert len(fewer.recommend(new)) == len(fitted(case).recommend(new))

    def test_batches_do_not_change_answers(self, case: ModelCase) -> None:
        model, (users, items) = fitted(case), all_pairs(sample())
        order = np.random.default_rng(0).permutation(len(users))[:300]
        many = model.predict(users[order], items[order])
        single = [model.predict([users[at]], [items[at]])[0] for at in order]
        assert np.allclose(many, single, atol=1e-5)
        assert np.allclose(model.predict(users, items)[order], many, atol=1e-5)
        table = model.recommend(users=[103, 100, 159], k=5)
        each = Table.concat([model.recommend(users=[u], k=5) for u in (103, 100, 159)])
        assert same_rows(table, each)

    def test_known_and_new_people_get_the_same_answers(self, case: ModelCase) -> None:
        model, history = fitted(case), histories_by_user(sample())[104]
        if model.side_columns[0] is not None:
            pytest.skip("it has columns of the people trained on, and none of new ones")
        known, new = model.recommend(users=[104]), model.recommend({"new": history})
        assert known["item_id"].tolist() == new["item_id"].tolist()
        assert np.allclose(known["score"], new["score"], atol=1e-5)
        items = sample().item_ids.ids
        answers = model.predict("new", items, histories={"new": history})
        assert np.allclose(answers, model.predict(104, items), atol=1e-5)

    def test_lists_include_the_predicted_rating(self, case: ModelCase) -> None:
        model = fitted(case)
        table = model.recommend(users=[100, 101, 102], k=40, include_seen=True)
        assert len(table) == 120
        predicted = model.predict(table["user_id"], table["item_id"])
        name = "score" if model.interest is None else "predicted"
        assert np.allclose(table[name], predicted, atol=1e-4)

    def test_love_moves_lists_from_interest_to_the_predicted_rating(self, case: ModelCase) -> None:
        model = fitted(case)
        by_rating = model.recommend(users=[100, 101], k=40, love=math.inf)
        name = "score" if model.interest is None else "predicted"
        for user in (100, 101):
            assert (np.diff(by_rating[name][by_rating["user_id"] == user]) <= 1e-6).all()
        for wrong in (-1, "much", math.nan, True):
            with pytest.raises(UsageError, match="love must be a number of at least 0"):
                model.recommend(users=[100], love=wrong)  # type: ignore[arg-type]
        if model.interest is None:
            return
        assert model.histories is not None
        assert model.preference is not None
        people = model.histories.take([0, 1])
        scores = model.rank_scores_coded(people, 0.0)
        assert np.allclose(scores, model.interest.scores(people))
        liked = model.preference.probability(model.scores_coded(people).astype(np.float64))
        size = np.sqrt(np.mean(scores**2, axis=1, keepdims=True))
        both = np.maximum(scores, model.floor * size) * liked**2
        assert np.allclose(model.rank_scores_coded(people, 2.0), both, atol=1e-5)

    def test_an_empty_history_is_answered_by_item(self, case: ModelCase) -> None:
        model = fitted(case)
        items = sample().item_ids.ids
        unknown, codes = np.full(len(items), -1), np.arange(len(items), dtype=np.int32)
        expected = unclipped = model._unknown(Histories.build([([], [])]), unknown, codes)
        if not model.answers_unknown:
            assert np.allclose(expected, model.bias.mean + model.bias.item_bias, atol=1e-5)
        if model.clip:
            expected = expected.clip(model.scale.low, model.scale.high)
        answers = model.predict(np.zeros(len(items), dtype=int), items, histories=[{}])
        assert np.allclose(answers, expected, atol=1e-5)
        table = model.recommend([{}], k=5)
        popular = model.rank_scores_coded(Histories.build([([], [])]))[0]
        if model.interest is None:
            assert np.allclose(popular, unclipped, atol=1e-5)
        else:
            assert model.preference is not None
            liked = model.preference.probability(expected)
            counts = model.interest.counts / model.interest.counts.max()
            floor = model.floor * np.sqrt(np.mean(counts**2)) if model.love else 0.0
            wanted = np.maximum(counts, floor) * liked**model.love
            if model.love > LARGEST_POWER:
                wanted = wanted ** (1.0 / model.love)
            assert np.allclose(popular / popular.max(), wanted / wanted.max(), atol=0.02)
        best = np.argsort(-popular, kind="stable")[:5]
        assert table["item_id"].tolist() == items[best].tolist()
        mixed = model.recommend([{}, {"item-03": 5}], k=5)
        assert same_rows(mixed.take(slice(0, 5)), table)
        assert len(mixed) == 10

    def test_unknown_users_and_items_are_answered_by_the_bias_model(self, case: ModelCase) -> None:
        model, bias = fitted(case), fitted(case).bias
        if model.answers_unknown:
            pytest.skip(f"{model.kind} answers for itself")
        user_bias = bias.user_bias(model.histories)[3]  # type: ignore[arg-type]
        answers = model.predict([999, 103, 999], ["item-04", "never", "never"])
        expected = [bias.mean + bias.item_bias[4], bias.mean + user_bias, bias.mean]
        assert np.allclose(answers, expected, atol=1e-5)
        assert np.isfinite(answers).all()

    def test_unknown_ids_raise_or_are_skipped(self, case: ModelCase) -> None:
        model = fitted(case)
        requests: tuple[tuple[str, dict[str, Any]], ...] = (
            ("users: 998, bob", {"users": [100, 998, "bob"]}),
            ("item: xyz", {"histories": [{"item-01": 5, "xyz": 1}]}),
            ("item: abc", {"users": [100], "only": ["item-01", "abc"]}),
            ("item: item-1", {"users": [100], "exclude": ["item-1"]}),
        )
        for name, request in requests:
            with pytest.raises(UnknownIdError, match=f"unknown {name}"):
                model.recommend(**request)
            assert isinstance(model.recommend(**request, unknown="skip"), Table)
        assert len(model.recommend(users=[998], unknown="skip")) == 0
        one = model.recommend([{"item-01": 5, "xyz": 1}], unknown="skip")
        assert same_rows(one, model.recommend([{"item-01": 5}]))

    def test_ids_as_text_mean_the_same(self, case: ModelCase) -> None:
        model = fitted(case)
        assert model.predict("104", "item-04") == model.predict(104, "item-04")
        assert same_rows(model.recommend(users=["104"]), model.recommend(users=[104]))

    def test_columns_and_dtypes_of_lists(self, case: ModelCase) -> None:
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

    def test_dtype_and_range_of_predictions(self, case: ModelCase) -> None:
        model = fitted(case)
        answers = model.predict(*all_pairs(sample()))
        assert answers.dtype == np.float64
        assert answers.shape == (60 * 40,)
        assert np.isfinite(answers).all()
        if model.clip:
            assert answers.min() >= 0.5
            assert answers.max() <= 5

    def test_standard_deviations(self, case: ModelCase, tmp_path: Path) -> None:
        model, (users, items) = fitted(case), all_pairs(sample())
        means, std = model.predict(users, items, with_std=True)
        assert np.allclose(means, model.predict(users, items), atol=1e-6)
        assert std.dtype == np.float64
        assert std.shape == means.shape
        assert (std > 0.1).all()
        assert (std < 4.5).all()
        cold = [(999, "never"), (999, "item-04"), (103, "never")]
        for user, item in cold:
            assert 0.1 < model.predict(user, item, with_std=True)[1][0] < 4.5
        new = {"ann": {"item-01": 5.0, "item-07": 0.5}}
        table = model.recommend(new, k=5, with_std=True)
        predicted = [] if model.interest is None else ["predicted"]
        names = ["user_id", "item_id", "score", "rank", *predicted, "std", "title"]
        assert list(table.columns) == names
        asked = model.predict("ann", table["item_id"], histories=new, with_std=True)
        assert np.allclose(table["std"], asked[1], atol=1e-6)
        assert same_rows(
            Table({n: c for n, c in table.columns.items() if n != "std"}), model.recommend(new, k=5)
        )
        _require_stored(case)
        back = load_model(model.save(tmp_path / "model"))
        assert np.array_equal(back.predict(users, items, with_std=True)[1], std)
        back.predictive_variance = None  # as in the folders of earlier versions
        with pytest.raises(UsageError, match="saved without standard deviations; train it again"):
            back.predict(users, items, with_std=True)

    def test_seen_items_are_not_recommended(self, case: ModelCase) -> None:
        seen = histories_by_user(sample())
        tables = list(fitted(case).recommend_all(k=40))
        table = Table.concat(tables)
        pairs = list(zip(table["user_id"].tolist(), table["item_id"].tolist(), strict=True))
        assert len(set(pairs)) == len(pairs) == 60 * 40 - 900
        assert not any(item in seen[user] for user, item in pairs)
        again = fitted(case).recommend(users=[100], k=40, include_seen=True)
        assert len(again) == 40

    def test_exclude_and_only_are_respected(self, case: ModelCase) -> None:
        model = fitted(case)
        item_ids = [f"item-{i:02}" for i in range(0, 40, 3)]
        only = model.recommend([{"item-03": 4.0}], only=item_ids, k=40)
        assert set(only["item_id"]) == set(item_ids) - {"item-03"}
        rest = model.recommend([{"item-03": 4.0}], exclude=item_ids, k=40)
        assert set(rest["item_id"]) == {f"item-{i:02}" for i in range(40)} - set(item_ids)
        both = model.recommend([{}], only=item_ids, exclude=item_ids[:5], k=40)
        assert set(both["item_id"]) == set(item_ids[5:])

    def test_k_must_be_a_positive_integer(self, case: ModelCase) -> None:
        for k in (0, -1, 2.5, "3", True):
            with pytest.raises(UsageError, match="k must be"):
                fitted(case).recommend([{}], k=k)  # type: ignore[arg-type]

    def test_arguments_are_not_modified(self, case: ModelCase) -> None:
        ratings = Ratings(**{k: v for k, v in sample().__dict__.items() if not k.startswith("by_")})
        arrays = [ratings.users, ratings.items, ratings.values, ratings.user_ids.ids]
        arrays += [ratings.item_ids.ids, ratings.item_table.titles]  # type: ignore[union-attr]
        copies = [array.copy() for array in arrays]
        for array in arrays:
            array.setflags(write=False)
        try:
            model = case.make().fit(ratings, seed=3)
            history = {"item-01": 5.0}
            histories = {"ann": history}
            model.recommend(histories, exclude=["item-02"])
            model.predict(np.array([100]), np.array(["item-01"], dtype=object), histories=histories)
            model.evaluate(ratings, allow_overlap=True)
        finally:
            for array in arrays:
                array.setflags(write=True)
        assert all(np.array_equal(a, b) for a, b in zip(arrays, copies, strict=True))
        assert histories == {"ann": {"item-01": 5.0}}

    def test_fit_returns_the_model_of_the_users_with_ratings(self, case: ModelCase) -> None:
        """A part of a split shares its vocabulary with the other: some codes have no rating."""
        part = sample().take(sample().users > 3)
        model = case.make()
        assert "not fitted" in repr(model)
        assert model.fit(part, seed=3) is model
        assert "56 users, 40 items" in repr(model)
        assert model.n_users == 56
        with pytest.raises(UnknownIdError, match="unknown user: 101"):
            model.recommend(users=[101])
        assert np.isfinite(model.predict([101, 110], ["item-05", "item-05"])).all()

    def test_unusable_ratings_are_refused(self, case: ModelCase) -> None:
        for users, items, values in (
            ([1, 1], [1, 2], [3.0, 4.0]),  # one user
            ([1, 2], [1, 1], [3.0, 4.0]),  # one item
            ([1, 2, 3], [1, 2, 2], [3.0, 4.0, math.nan]),
            ([1, 2, 2], [1, 2, 2], [3.0, 4.0, 4.0]),  # a repeated pair
        ):
            ratings = Ratings.from_arrays(users, items, values, scale=Scale(1, 5))
            with pytest.raises(DataError, match="ratings: "):
                case.make().fit(ratings)

    def test_two_ratings_are_enough(self, case: ModelCase) -> None:
        least = Ratings.from_arrays(["a", "b"], ["x", "y"], [0.0, 0.0], scale=Scale(0, 0))
        model = case.make().fit(least)
        answers = model.predict(["a", "b"], ["y", "x"])
        assert np.allclose(answers, 0, atol=0 if model.clip else 0.1)
        assert model.recommend(users=["a"])["item_id"].tolist() == ["y"]

    def test_interactions_are_learned(self, case: ModelCase) -> None:
        if not case.learns:
            pytest.skip(f"{case.name} is not personalised")
        table = refitted(case).lists
        assert ((table["user_id"] + table["item_id"]) % 2 == 0).mean() > 0.97
        assert (refitted(case).new["item_id"] % 2 == 0).mean() > 0.85


def _require_stored(case: ModelCase) -> None:
    if not case.stored:
        pytest.skip(f"load_model does not know the kind of {case.name}")
