from __future__ import annotations

import numpy as np
import pytest
from battery import Battery, Case

from matinee.errors import UsageError
from matinee.models import Bias, GlobalMean, ItemMean, UserMean
from matinee.testing import fitted, sample

CASES = [
    Case("global-mean", GlobalMean, learns=False, bound=1.154),
    Case("item-mean", ItemMean, learns=False, bound=1.034),
    Case("user-mean", UserMean, learns=False, bound=1.064),
    Case("bias", Bias, learns=False, bound=0.954),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestBaselines(Battery):
    pass


def test_they_predict_what_they_say() -> None:
    data = sample()
    item = data.values[data.items == 7].mean()
    assert fitted(CASES[0]).predict(100, "item-07")[0] == pytest.approx(data.values.mean())
    assert fitted(CASES[1]).predict(100, "item-07")[0] == pytest.approx(item, abs=1e-6)
    of_user = data.users == 0
    mean = data.values[of_user].mean()
    assert fitted(CASES[2]).predict(100, "item-07")[0] == pytest.approx(mean, abs=1e-6)
    model = fitted(CASES[3])
    bias = model.bias
    left = data.values[of_user] - bias.mean - bias.item_bias[data.items[of_user]]
    expected = bias.mean + bias.item_bias[7] + left.sum() / (of_user.sum() + bias.user_reg)
    assert model.predict(100, "item-07")[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("options", [{"user_reg": -1}, {"item_reg": np.nan}, {"epochs": 0}])
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="Bias: "):
        Bias(**options)  # type: ignore[arg-type]


def test_a_mean_answers_itself_for_unknown_people_and_items() -> None:
    data = sample()
    mean = data.values.mean(dtype=np.float64)
    users, items = ["nobody", "nobody", 100], ["item-07", "never", "never"]
    by_item, by_user = data.values[data.items == 7].mean(), data.values[data.users == 0].mean()
    expected = {
        GlobalMean: [mean, mean, mean],
        ItemMean: [by_item, mean, mean],
        UserMean: [mean, mean, by_user],
    }
    for kind, wanted in expected.items():
        model = kind().fit(data)
        assert model.predict(users, items) == pytest.approx(wanted, abs=1e-6), kind
        scores = model.recommend([{}], k=40, love=np.inf)
        if kind is not ItemMean:  # the same score for all, so the order is that of the items
            assert scores["score"] == pytest.approx(np.full(40, mean), abs=1e-6)
            assert scores["item_id"].tolist() == data.item_ids.ids.tolist()


def test_the_score_of_a_mean_is_that_of_the_baseline_beside_it() -> None:
    """Also on ratings of people who are not known: "global-mean" is the global mean."""
    known = sample().users < 40
    train, test = sample().take(known), sample().take(~known)
    score = GlobalMean().fit(train).evaluate(test)
    assert score.coverage.unknown.n == len(test)
    assert score.rmse == pytest.approx(score.baselines["global_mean"].rmse, abs=1e-12)
    assert not any("bias model answered" in note for note in score.notes)
    item = ItemMean().fit(train).evaluate(test)
    assert item.rmse == pytest.approx(item.baselines["item_mean"].rmse, abs=1e-9)
    assert any("bias model answered" in note for note in Bias().fit(train).evaluate(test).notes)


@pytest.mark.parametrize(("kind", "by"), [(ItemMean, "items"), (UserMean, "users")])
def test_left_out_predictions_are_by_the_other_ratings(kind: type, by: str) -> None:
    data = sample()
    model = kind().fit(data)
    held_out = model._held_out_predictions(data)
    csr = data.by_user
    sides = {"items": csr.indices, "users": np.repeat(np.arange(csr.n_rows), csr.counts)}
    for entry, predicted in zip(held_out.entries[::50], held_out.predictions[::50], strict=True):
        same = sides[by] == sides[by][entry]
        same[entry] = False
        assert predicted == pytest.approx(csr.values[same].mean(), abs=1e-5)
