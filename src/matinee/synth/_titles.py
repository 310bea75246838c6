"""Titles of generated films."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

_ADJECTIVES = """Amber Ashen Blue Borrowed Bright Buried Careless Copper Crimson Double Early Empty
Endless Faithful First Foolish Gentle Green Half Heavy Honest Hungry Invisible Jealous Last Lucky
Narrow Northern Paper Patient Perfect Private Quick Sacred Second Silent Sleeping Stormy Strange
Unfinished Winter Young"""
_NOUNS = """Affair Angel Apartment Avenue Bargain Bell Bird Brother Carnival City Clock Coast Crowd
Dawn Dream Evening Fire Garden Ghost Guest Harbour Heart Hotel House Journey Key King Lake Lesson
Light Mask Mirror Moon Mountain Neighbour Night Ocean Passenger Queen Return River Road Rose Season
Secret Shadow Sister Song Station Storm Story Stranger Street Summer Teacher Tower Train Valley
Village Voice Window Wolf"""


def make_titles(years: Sequence[int], rng: np.random.Generator) -> list[str]:
    """Return a title for each film, such as "The Silent Harbour (1994)".

    No two are alike even without the year: a name drawn again gets a number.
    """
    adjectives, nouns = _ADJECTIVES.split(), _NOUNS.split()
    sizes = (2, len(adjectives), len(nouns))
    used: Counter[str] = Counter()
    titles = []
    for year, draw in zip(years, rng.integers(0, sizes, (len(years), 3)).tolist(), strict=True):
        name = f"{('', 'The ')[draw[0]]}{adjectives[draw[1]]} {nouns[draw[2]]}"
        used[name] += 1
        number = f" {used[name]}" if used[name] > 1 else ""
        titles.append(f"{name}{number} ({year})")
    return titles
