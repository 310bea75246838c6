"""Search keys of titles: different spellings of a title share a key."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ..base.text import split_year

_BARE_YEAR = re.compile(r"^(.*\S)[\s,]+((?:18|19|20)\d\d)$")
_ALTERNATIVE = re.compile(r"\(([^()]*)\)")
_ALSO = re.compile(r"^(?:a\.?k\.?a\.?)\s+", re.IGNORECASE)
_ARTICLE_LAST = re.compile(r"^(.*\S),\s*(\w+|[ldLD]['’])$")
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’`´]")
_ELISION = re.compile(r"\b([ld])['’`´](?=\w)", re.IGNORECASE)

ARTICLES = frozenset(
    {"the", "a", "an"}
    | {"le", "la", "les", "l", "un", "une"}  # French
    | {"el", "los", "las", "il", "lo", "gli", "i"}  # Spanish, Italian
    | {"der", "die", "das", "den", "det", "de", "het", "een", "en", "et"}  # the Germanic ones
)
# Letters that Unicode does not decompose into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}


def words(text: str) -> list[str]:
    """Return words in lower case without accents and punctuation; roman numerals as digits."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_PLAIN)).casefold()
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = _APOSTROPHE.sub("", _ELISION.sub(r"\1 ", text)).replace("&", " and ")
    return [_ROMAN.get(word, word) for word in _WORD.findall(text)]


def readings(text: str) -> list[tuple[str, int | None]]:
    """Return (title, year) readings of a query: "Heat 1995" is "Heat" of 1995 or a title."""
    name, year = split_year(text)
    if year is not None:
        return [(name, year)]
    match = _BARE_YEAR.match(name.strip())
    return [(name, None)] + ([(match.group(1), int(match.group(2)))] if match else [])


def names(title: str) -> list[list[str]]:
    """Return the names in a title without year, as words: all of it, and each parenthesis.

    A trailing article ("Matrix, The") is moved to the front.
    """
    outer = _ALTERNATIVE.sub(" ", title).strip()
    parts = [outer] if outer else []
    parts += [_ALSO.sub("", part.strip()) for part in _ALTERNATIVE.findall(title)]
    variants = [_words_in_order(part) for part in parts]
    if len(parts) > 1:
        variants.append(words(title))
    return [name for name in variants if name]


@lru_cache(maxsize=1024)
def _is_article(word: str) -> bool:
    return all(part in ARTICLES for part in words(word))


def _words_in_order(name: str) -> list[str]:
    match = _ARTICLE_LAST.match(name)
    if match and _is_article(match.group(2)):
        return words(match.group(2)) + words(match.group(1))
    return words(name)


def without_article(name: list[str]) -> list[str]:
    """Return a name without its leading article, unless it has no other word."""
    return name[1:] if len(name) > 1 and name[0] in ARTICLES else name
