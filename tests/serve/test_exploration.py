"""A share of items that nobody rated, in lists of the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from matinee.models import Recommender

Serve = Callable[..., TestClient]


@pytest.fixture(scope="module")
def table(model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("new") / "new.csv"
    assert model.item_table is not None
    assert model.item_table.genres is not None
    genres = model.item_table.genres[:6]
    rows = [f"new-{at},Novelty {at} (1999),{'|'.join(each)}" for at, each in enumerate(genres)]
    file.write_text("item_id,title,genres\n" + "\n".join(rows) + "\n")
    return file


def lists(client: TestClient, n: int = 20, **more: Any) -> list[list[dict[str, Any]]]:
    body = {"ratings": [{"item": "1", "rating": 5}], "k": 10, "why": 0, **more}
    answers = [client.post("/v1/recommend", json=body) for _ in range(n)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["recommendations"] for answer in answers]


def test_off_by_default_and_a_share_of_the_places(
    serve_with: Serve, client: TestClient, table: Path
) -> None:
    plain = lists(client, 1)[0]
    exploring = serve_with(new_items=table, explore=0.25)
    listed = lists(exploring, 40)
    assert {len(each) for each in listed} == {10}
    assert all([e["rank"] for e in each] == list(range(1, 11)) for each in listed)
    counts = [sum(entry.get("new", False) for entry in each) for each in listed]
    assert set(counts) <= {2, 3}  # 2.5 in the mean
    assert 2 < sum(counts) / len(counts) < 3
    # The rest of the list is as it was, cut at its end.
    for each, count in zip(listed, counts, strict=True):
        assert all(plain[0].keys() <= entry.keys() for entry in each)
        rest = [e["item"] for e in each if not e.get("new")]
        assert rest == [e["item"] for e in plain[: 10 - count]]
    assert len({tuple(bool(e.get("new")) for e in each) for each in listed}) > 5


def test_filters_hold_for_new_items(serve_with: Serve, table: Path) -> None:
    exploring = serve_with(new_items=table, explore=0.5)

    def new(**more: Any) -> set[str]:
        listed = lists(exploring, 6, **more)
        return {entry["item"] for each in listed for entry in each if entry.get("new")}

    every = new()
    assert len(every) >= 5
    excluded = sorted(every)[0]
    assert excluded not in new(exclude=[excluded])
    number = excluded.removeprefix("new-")
    assert excluded not in new(exclude=[f"novelty {number}"])
    assert excluded not in new(exclude=[f"Novelty {number} (1999)"])
    rated = [{"item": item, "rating": 5} for item in ("1", excluded)]
    assert excluded not in new(ratings=rated)
    assert new(years=[2000, None]) == set()
    assert new(only=["1", "2", "3"]) == set()


def test_what_someone_refused_is_not_shown_again(
    serve_with: Serve, table: Path, tmp_path: Path
) -> None:
    store = f"sqlite:{tmp_path / 'f.db'}"
    exploring = serve_with(new_items=table, explore=0.5, feedback=store)
    events = [{"user": "u", "kind": "not_interested", "item": f"new-{at}"} for at in range(5)]
    assert exploring.post("/v1/feedback", json={"events": events}).status_code == 200
    answer = exploring.get("/v1/users/u/recommendations?why=0").json()["recommendations"]
    assert {entry["item"] for entry in answer if entry.get("new")} == {"new-5"}


def test_a_model_that_knows_all_of_them_is_served(
    serve_with: Serve, client: TestClient, model: Recommender, tmp_path: Path
) -> None:
    """As after a refresh, once each has been rated: the server must take that model up."""
    file = tmp_path / "known.csv"
    assert model.item_table is not None
    file.write_text(f"item_id,title,genres\n{model.item_ids.ids[0]},Known (1999),Drama\n")
    listed = lists(serve_with(new_items=file, explore=0.5), 1)
    assert [e["item"] for e in listed[0]] == [e["item"] for e in lists(client, 1)[0]]
