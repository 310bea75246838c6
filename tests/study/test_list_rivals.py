"""Models of other libraries on the leaderboard of lists, without the libraries."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matinee import Ratings, Scale
from matinee.errors import UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rivals() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "list_rivals", ROOT / "benchmarks" / "_list_rivals.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pairs() -> Ratings:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((8, 6)) < 0.5)
    return Ratings.from_arrays(users, items, np.ones(len(users)), scale=Scale(1, 5))


def test_the_extra_bench_brings_every_library_but_rectools(rivals: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {each.partition(">")[0] for each in project["optional-dependencies"]["bench"]}
    assert {library for library, _ in rivals.RIVALS.values()} - named == {"rectools"}
    assert rivals.TITLES.keys() == {library for library, _ in rivals.RIVALS.values()}


def test_why_a_library_cannot_be_used(
    rivals: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("from numpy import no_such_name\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert rivals.why_not("numpy") == ""
    assert rivals.why_not("no_such_library") == "not installed, skipped"
    assert rivals.why_not("broken_library").startswith("does not import (cannot import name")
    sys.modules.pop("broken_library", None)


def test_lists_of_rectools_become_scores_in_their_order(rivals: ModuleType) -> None:
    made = rivals.RecTools()
    made._fit_outside = lambda pairs: None
    made.fit(pairs())
    asked: list[Any] = []

    def recommend(users: Any, dataset: Any, **options: Any) -> pd.DataFrame:
        asked.append((list(users), options))
        rows = [(5, 3, 1), (5, 0, 2), (2, 4, 1), (2, 1, 2), (2, 0, 3)]
        return pd.DataFrame(rows, columns=["user_id", "item_id", "rank"])

    made._dataset, made._fitted = None, SimpleNamespace(recommend=recommend)
    people = made.histories.take([5, 2])
    scores = made.rank_scores_coded(people)
    assert asked == [([5, 2], {"k": 100, "filter_viewed": True})]
    assert np.argsort(-scores[0], kind="stable")[:2].tolist() == [3, 0]
    assert np.argsort(-scores[1], kind="stable")[:3].tolist() == [4, 1, 0]
    assert np.isneginf(scores).sum() == 12 - 5


def test_a_new_person_is_refused_where_no_history_is_folded_in(rivals: ModuleType) -> None:
    made = rivals.RecTools()
    made._fit_outside = lambda pairs: None
    made.fit(pairs())
    made._dataset, made._fitted = None, SimpleNamespace()
    new = made.histories.take([0])
    new.users[:] = -1
    with pytest.raises(UsageError, match="RecTools scores only people it was trained on"):
        made.rank_scores_coded(new)
