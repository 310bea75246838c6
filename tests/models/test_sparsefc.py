"""SparseFC through the shared battery, and what is its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from battery import Battery, Case

from matinee.data import Ratings, Scale
from matinee.errors import UsageError
from matinee.lab.rivals import SparseFC
from matinee.models import Bias, load_model, model
from matinee.testing import fitted, histories_by_user, refitted, sample

SMALL = partial(SparseFC, units=12, iterations=60, restart=20, lambda_2=1.0)
CASES = [Case("sparsefc", SMALL, learns=True)]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestSparseFC(Battery):
    """Items are the rows: a new person has no input, and the bias model answers for them."""

    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        net, history = fitted(case), histories_by_user(sample())[104]
        items = sample().item_ids.ids
        predicted = net.predict("new", items, histories={"new": history})
        bias = Bias().fit(sample(), seed=3)
        assert np.allclose(
            predicted, bias.predict("new", items, histories={"new": history}), atol=1e-5
        )
        assert not np.allclose(predicted, net.predict(104, items), atol=1e-3)

    def test_interactions_are_learned(self, case: Case) -> None:
        table = refitted(case).lists
        assert ((table["user_id"] + table["item_id"]) % 2 == 0).mean() > 0.97


@pytest.mark.parametrize(("low", "high"), [(0.5, 2.75), (1, 100), (-8, 8)])
def test_the_scale_does_not_matter(low: float, high: float) -> None:
    # Scales without rounding: L-BFGS from values that differ in their last bits goes other ways.
    data = sample()
    values = low + (data.values - 0.5) / 4.5 * (high - low)
    users, items = data.user_ids.decode(data.users), data.item_ids.decode(data.items)
    moved = Ratings.from_arrays(users, items, values, scale=Scale(low, high))
    predicted = SMALL(iterations=10).fit(moved, seed=3).predict(users, items)
    plain = SMALL(iterations=10).fit(data, seed=3).predict(users, items)
    expected = low + (plain - 0.5) / 4.5 * (high - low)
    assert np.abs(predicted - expected).mean() < 0.01 * (high - low)


def test_the_loss_falls_and_is_reported(tmp_path: Path) -> None:
    net = SMALL(iterations=50)
    net.fit(sample(), folder=tmp_path / "run", watch={"train": sample()})
    assert net.planned_epochs == {(0, False): 3}
    losses = [epoch.loss for epoch in net.epochs]
    assert len(losses) == 3
    assert losses[2] < losses[1] < losses[0]
    assert len((tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()) == 3
    last = net.epochs[-1]
    assert last.watched["train"] <= last.train_rmse + 1e-3  # clipping only helps
    back = load_model(net.save(tmp_path / "run"))
    assert isinstance(back, SparseFC)
    assert back.epochs == net.epochs


def test_a_strong_penalty_leaves_the_output_biases() -> None:
    """With the weights driven to zero, what is left is each user's mean."""
    net = SMALL(lambda_2=1e7, iterations=60).fit(sample())
    data = sample()
    mean = data.values[data.users == 3].mean()
    assert net.predict(103, "item-05")[0] == pytest.approx(mean, abs=0.02)


def test_options_are_its_own() -> None:
    assert isinstance(model("sparsefc", units=8), SparseFC)
    with pytest.raises(UsageError, match=r"network\.hidden has no effect on kind sparsefc"):
        SparseFC(hidden=[5])
