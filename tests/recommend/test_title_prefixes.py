"""Titles that somebody has begun to type."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data import ItemTable
from matinee.recommend import TitlePrefixes

TITLES = [
    "Star Kid (1997)",
    "Star Wars: Episode IV - A New Hope (1977)",
    "Godfather, The (1972)",
    "Matrix, The (1999)",
    "Heathers (1989)",
    "Heat (1995)",
    "Amateur (1994)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
]


@pytest.fixture
def prefixes() -> TitlePrefixes:
    titles = np.array(TITLES, dtype=object)
    return TitlePrefixes(ItemTable(titles), np.arange(len(titles)))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("star", [0, 1]),
        ("Star W", [1]),
        ("star wars episode 4", [1]),
        ("godf", [2]),
        ("the god", [2]),
        ("matr", [3]),
        ("heat", [5, 4]),  # the title that is just this, though another is more rated
        ("new ho", [1]),
        ("la cite", [7]),
        ("cité", [7]),
        ("atrix", []),
        ("--", []),
        ("", []),
    ],
)
def test_it_completes(prefixes: TitlePrefixes, text: str, codes: list[int]) -> None:
    assert prefixes.complete(text) == codes


def test_how_many_and_in_what_order(prefixes: TitlePrefixes) -> None:
    assert prefixes.complete("star", 1) == [0]
    turned = TitlePrefixes(ItemTable(np.array(TITLES, dtype=object)), np.arange(len(TITLES))[::-1])
    assert turned.complete("star") == [1, 0]


def test_no_titles() -> None:
    assert TitlePrefixes(None, np.arange(4)).complete("star") == []
