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
    own = data.users == 0
    mean = data.values[own].mean()
    assert fitted(CASES[2]).predict(100, "item-07")[0] == pytest.approx(mean, abs=1e-6)
    model = fitted(CASES[3])
    bias = model.bias
    left = data.values[own] - bias.mean - bias.item_bias[data.items[own]]
    expected = bias.mean + bias.item_bias[7] + left.sum() / (own.sum() + bias.user_reg)
    assert model.predict(100, "item-07")[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("options", [{"user_reg": -1}, {"item_reg": np.nan}, {"epochs": 0}])
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="Bias: "):
        Bias(**options)  # type: ignore[arg-type]
