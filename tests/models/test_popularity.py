from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from battery import Battery, Case

from matinee.data import Table
from matinee.models import Settings, model
from matinee.models.kinds.popularity import Popularity
from matinee.testing import fitted, histories_by_user, sample

CASES = [Case("popularity", Popularity, learns=False, bound=0.954)]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestPopularity(Battery):
    """The most rated items first, whoever asks; predictions are the bias model's."""

    def test_the_most_popular_come_first_without_a_history(self, case: Case) -> None:
        table = fitted(case).recommend([{}, {"item-03": 5}], k=5)
        assert table["item_id"][:5].tolist() == most_rated(5)

    def test_the_most_rated_are_first_but_for_those_seen(self, case: Case) -> None:
        seen = histories_by_user(sample())
        for user in (100, 107, 159):
            table = fitted(case).recommend(users=[user], k=7)
            expected = [item for item in most_rated(40) if item not in seen[user]]
            assert table["item_id"].tolist() == expected[:7]
            predicted = fitted(case).predict(user, table["item_id"])
            assert np.allclose(table["predicted"], predicted, atol=1e-6)


def most_rated(k: int) -> list[str]:
    order = np.argsort(-np.bincount(sample().items), kind="stable")
    result: list[str] = sample().item_ids.ids[order[:k]].tolist()
    return result


def test_a_preset_makes_it(tmp_path: Path) -> None:
    file = tmp_path / "popular.toml"
    file.write_text('kind = "popularity"\n')
    made = model(str(file))
    assert isinstance(made, Popularity)
    assert made.settings == Settings.make({"kind": "popularity"})
    assert isinstance(Table.concat(list(made.fit(sample()).recommend_all(k=3))), Table)
