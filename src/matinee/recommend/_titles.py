"""Fuzzy search of items by title."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from ..base.arrays import Float64
from ..base.text import split_year
from ..data import ItemTable, Vocabulary
from ..errors import UnknownIdError, UsageError
from ._title_keys import ARTICLES, names, readings, without_article, words
from ._trigrams import Trigrams

_LISTED = 8
_LIKE = 0.84
"""Minimum similarity (``rapidfuzz.fuzz.ratio``, 0 to 1) of a misspelt title."""
_AHEAD = 0.04
"""Minimum margin to the next most similar title."""
_WORD_LIKE = 0.75
"""Minimum similarity of a misspelt word."""

_MISSPELT = 12
"""Largest number of words of a query that are checked for misspellings."""
_NONE: set[int] = set()


class Titled(NamedTuple):
    """An item's external id and title."""

    id: Any
    title: str


class TitleIndex:
    """Looks up items of a model by id or title.

    Case, accents, punctuation, articles ("Matrix, The" is "the matrix") and roman numerals do not
    matter; the year is optional; a part of a title suffices if it is unique; small misspellings are
    corrected.

    Without a table, items are found by id only.
    """

    def __init__(self, item_ids: Vocabulary, table: ItemTable | None) -> None:
        self._ids = item_ids
        self._table = table
        self._titles = None if table is None else table.titles

    def find(self, text: str, *, ids: bool = True) -> Any:
        """Return the external id of the item that a text refers to.

        Args:
            text: An exact id, which takes precedence, or a title.
            ids: Whether it may be an id; without titles it always may.

        Raises:
            UsageError: Several titles match; they are listed.
            UnknownIdError: No title matches; the nearest are listed.
        """
        code = int(self._ids.encode([text.strip()])[0])
        if code >= 0 and (ids or self._titles is None):
            return self._item(code).id
        if self._titles is None:
            raise UnknownIdError(f"unknown item {text!r}; the model has no titles, so give an id")
        for codes in self._matches(text):
            if len(codes) > 1:
                raise UsageError(self._ambiguous(text, codes))
            return self._item(codes[0]).id
        suggestions = self.search(text, 5)
        listed = f"; the nearest: {self._list(suggestions)}" if suggestions else ""
        raise UnknownIdError(f"no title like {text!r}{listed}")

    def title(self, item_id: Any) -> str:
        """Return the title of a known item, or its id as text if it has no title."""
        code = int(self._ids.encode([item_id])[0])
        return str(item_id if self._titles is None else self._titles[code])

    def search(self, text: str, n: int = 10) -> list[Titled]:
        """Return the n items with the most similar titles, best first."""
        if self._titles is None:
            return []
        matches: dict[int, None] = {}
        for codes in self._matches(text):
            matches.update(dict.fromkeys(codes))
            if len(matches) >= n:
                return [self._item(code) for code in list(matches)[:n]]
        for name, _ in readings(text):
            matches.update(dict.fromkeys(code for code, _, like in self._near(name) if like >= 0.4))
        return [self._item(code) for code in list(matches)[:n]]

    def _matches(self, text: str) -> Iterator[list[int]]:
        """Yield the matching codes by each method, strictest first, without empty results."""
        normalised = " ".join(text.casefold().split())
        if normalised in self._whole:
            yield self._whole[normalised]
        meant = readings(text)
        for look_up in (
            self._by_name,
            self._by_bare_name,
            self._by_letters,
            self._by_words,
            self._by_likeness,
            self._by_misspelt_words,
        ):
            for name, year in meant:
                codes = [c for c in look_up(name) if year is None or self._years[c] == year]
                if codes:
                    yield codes

    def _by_name(self, name: str) -> Iterable[int]:
        return self._named.get(" ".join(_query_words(name)), ())

    def _by_bare_name(self, name: str) -> Iterable[int]:
        return self._bare.get(" ".join(without_article(_query_words(name))), ())

    def _by_letters(self, name: str) -> Iterable[int]:
        return self._joined.get("".join(without_article(_query_words(name))), ())

    def _by_words(self, name: str) -> list[int]:
        query_words = set(_without_articles(name))
        if len(query_words) > self._longest:
            return []
        return self._with_all([{word} for word in query_words])

    def _by_misspelt_words(self, name: str) -> list[int]:
        query_words = _without_articles(name)
        # A single word is not enough: "amelie" is not "Mélodie en sous-sol".
        if sum(word in self._having for word in query_words) == 0 or len(query_words) < 2:
            return []
        if len(set(query_words)) > min(self._longest, _MISSPELT):
            return []
        return self._with_all([self._spellings(word) for word in query_words])

    def _with_all(self, choices: list[set[str]]) -> list[int]:
        """Return codes of titles that contain a word from each set."""
        having = [[self._having.get(word, _NONE) for word in choice] for choice in choices]
        having.sort(key=lambda sets: sum(map(len, sets)))
        matches: set[int] | None = None
        for sets in having:
            if matches is None:
                matches = set().union(*sets)
            else:
                matches = {code for code in matches if any(code in codes for codes in sets)}
            if not matches:
                break
        return sorted(matches or ())

    def _spellings(self, word: str) -> set[str]:
        """Return the word or, if no title has it, similar words of titles."""
        if word in self._having or word.isdigit():
            return {word}
        candidates = [self._all_words[at] for at in self._word_trigrams.nearest(word, 40)]
        return {like for like, _, _ in _likenesses(word, candidates, _WORD_LIKE)}

    def _by_likeness(self, name: str) -> list[int]:
        similar = [entry for entry in self._near(name) if entry[2] >= _LIKE]
        # "Rocky 7" is not a misspelling of "Rocky 2".
        numbers = _numbers(without_article(_query_words(name)))
        similar = [entry for entry in similar if _numbers(entry[1].split()) == numbers]
        return sorted({c for c, _, similarity in similar if similarity > similar[0][2] - _AHEAD})

    def _near(self, name: str) -> list[tuple[int, str, float]]:
        """Return titles similar to a name as (code, key, similarity), best first."""
        key = " ".join(without_article(_query_words(name)))
        if not key:
            return []
        candidates = [self._keys[at] for at in self._trigrams.nearest(key, 40)]
        similar = _likenesses(key, [other for other, _ in candidates])
        scored = [(candidates[at][1], other, similarity) for other, similarity, at in similar]
        return sorted(scored, key=lambda entry: (-entry[2], entry[0]))

    @cached_property
    def _whole(self) -> dict[str, list[int]]:
        return _grouped((" ".join(t.casefold().split()), c) for c, t in self._each())

    @cached_property
    def _parsed(self) -> list[tuple[int, list[str]]]:
        return [(c, name) for c, title in self._each() for name in names(split_year(title)[0])]

    @cached_property
    def _years(self) -> Float64:
        assert self._table is not None
        return self._table.years

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        return _grouped((" ".join(name), code) for code, name in self._parsed)

    @cached_property
    def _bare(self) -> dict[str, list[int]]:
        return _grouped((key, code) for key, code in self._keys)

    @cached_property
    def _keys(self) -> list[tuple[str, int]]:
        return [(" ".join(without_article(name)), code) for code, name in self._parsed]

    @cached_property
    def _having(self) -> dict[str, set[int]]:
        having: dict[str, set[int]] = {}
        for code, name in self._parsed:
            for word in name:
                having.setdefault(word, set()).add(code)
        return having

    @cached_property
    def _longest(self) -> int:
        """Number of words in the longest title."""
        return max((len(set(name)) for _, name in self._parsed), default=0)

    @cached_property
    def _joined(self) -> dict[str, list[int]]:
        return _grouped((key.replace(" ", ""), code) for key, code in self._keys)

    @cached_property
    def _trigrams(self) -> Trigrams:
        return Trigrams([key for key, _ in self._keys])

    @cached_property
    def _all_words(self) -> list[str]:
        return list(self._having)

    @cached_property
    def _word_trigrams(self) -> Trigrams:
        return Trigrams(self._all_words)

    def _each(self) -> Iterator[tuple[int, str]]:
        return enumerate(() if self._titles is None else self._titles.tolist())

    def _item(self, code: int) -> Titled:
        ids = self._ids.ids[code : code + 1].tolist()
        return Titled(ids[0], ids[0] if self._titles is None else self._titles[code])

    def _list(self, items: Iterable[Titled]) -> str:
        return "; ".join(f"{item.title} [id {item.id}]" for item in items)

    def _ambiguous(self, text: str, codes: list[int]) -> str:
        listed = self._list(map(self._item, codes[:_LISTED]))
        more = f"; and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
        return f"{text!r} could be {listed}{more}. Write the id, or more of the title"


def _likenesses(text: str, texts: list[str], least: float = 0.0) -> list[tuple[str, float, int]]:
    """Return (text, similarity, position) of the texts above a similarity."""
    from rapidfuzz import fuzz, process

    scored = process.extract(text, texts, scorer=fuzz.ratio, limit=None, score_cutoff=100 * least)
    return [(other, score / 100, at) for other, score, at in scored]


@lru_cache(maxsize=64)
def _query_words(name: str) -> list[str]:
    """Return all words of a name, parentheses included."""
    parts = names(name)
    return parts[-1] if parts else []


def _without_articles(name: str) -> list[str]:
    """Return the words of a name without articles."""
    return [word for word in words(name) if word not in ARTICLES]


def _numbers(name: list[str]) -> list[str]:
    return sorted(word for word in name if word.isdigit())


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for key, code in pairs:
        group = groups.setdefault(key, [])
        if not group or group[-1] != code:  # codes are ascending
            group.append(code)
    return groups
