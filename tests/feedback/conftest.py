"""Both kinds of store: a file, and a real PostgreSQL started for the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matinee.feedback import FeedbackStore, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'feedback.db'}"
    made: str = request.getfixturevalue("postgresql").empty()
    return made


@pytest.fixture
def open_(url: str) -> Iterator[Callable[[], FeedbackStore]]:
    """Opens the store, as often as it is called."""
    opened: list[FeedbackStore] = []

    def make() -> FeedbackStore:
        opened.append(open_store(url))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def store(open_: Callable[[], FeedbackStore]) -> FeedbackStore:
    return open_()
