from __future__ import annotations

import numpy as np
import pytest

from matinee.base import memory
from matinee.data import Histories
from matinee.recommend import _rank as module, rank


def people() -> Histories:
    return Histories.build([([0, 2], [5, 4]), ([], []), ([1], [3]), ([0, 1, 2, 3, 4], [1] * 5)])


def by_item(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    scores = np.tile(np.array([1, 5, 4, 5, 2], dtype=np.float32), (len(histories), 1))
    return scores, scores + 10


def ranked(**options: object) -> list[tuple[int, int, int]]:
    parts = list(rank(by_item, people(), 5, **options))  # type: ignore[arg-type]
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    rows, items, scores, ranks, further = columns
    assert np.array_equal(further, scores + 10)
    return list(zip(rows.tolist(), items.tolist(), ranks.tolist(), strict=True))


def test_seen_items_are_left_out() -> None:
    assert ranked(k=2) == [(0, 1, 1), (0, 3, 2), (1, 1, 1), (1, 3, 2), (2, 3, 1), (2, 2, 2)]


def test_seen_items_can_be_had() -> None:
    assert [row[:2] for row in ranked(k=1, include_seen=True)] == [(0, 1), (1, 1), (2, 1), (3, 1)]


def test_only_allowed_items_come() -> None:
    allowed = np.array([True, False, False, False, True])
    assert ranked(k=3, allowed=allowed) == [
        (0, 4, 1),
        (1, 4, 1),
        (1, 0, 2),
        (2, 4, 1),
        (2, 0, 2),
    ]


@pytest.mark.parametrize("held", [1, 5, 12])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    whole = ranked(k=3)
    monkeypatch.setattr(module, "_SCORES", held)
    monkeypatch.setattr(memory, "FEWEST_ROWS", 1)
    assert ranked(k=3) == whole


@pytest.mark.parametrize(
    ("held", "sizes"), [(1, [1, 1, 1, 1]), (9, [1, 1, 1, 1]), (11, [2, 2]), (15, [3, 1]), (99, [4])]
)
def test_scores_in_memory_are_bounded(
    monkeypatch: pytest.MonkeyPatch, held: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(module, "_SCORES", held)
    monkeypatch.setattr(memory, "FEWEST_ROWS", 1)
    seen: list[int] = []

    def score(histories: Histories) -> tuple[np.ndarray, None]:
        seen.append(len(histories))
        return by_item(histories)[0], None

    assert len(list(rank(score, people(), 5, k=1))) == len(sizes)
    assert seen == sizes
    assert [len(part[0]) for part in rank(score, people().take(np.arange(0)), 0, k=1)] == [0]
