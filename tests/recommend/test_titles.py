from __future__ import annotations

import string
import time

import numpy as np
import pytest
from hypothesis import given, strategies as st

from matinee.data import ItemTable, Vocabulary
from matinee.errors import UnknownIdError, UsageError
from matinee.recommend import TitleIndex

TITLES = {
    1: "Toy Story (1995)",
    2: "Toy Story 2 (1999)",
    6: "Heat (1995)",
    29: "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    47: "Seven (a.k.a. Se7en) (1995)",
    58: "Postino, Il (The Postman) (1994)",
    260: "Star Wars: Episode IV - A New Hope (1977)",
    858: "Godfather, The (1972)",
    1196: "Star Wars: Episode V - The Empire Strikes Back (1980)",
    1221: "Godfather: Part II, The (1974)",
    1294: "M*A*S*H (1970)",
    1617: "L.A. Confidential (1997)",
    1997: "1984 (1984)",
    2001: "Spider-Man (2002)",
    2409: "Rocky II (1979)",
    2410: "Rocky III (1982)",
    2571: "Matrix, The (1999)",
    3000: "Avventura, L' (1960)",
    4000: "Misérables, Les (1995)",
    4001: "Misérables, Les (1998)",
    5000: "Dr. Strangelove or: How I Learned to Stop Worrying & Love the Bomb (1964)",
    6000: "Blade Runner 2049",
    7000: "Blade Runner (1982)",
    8000: "千と千尋の神隠し (2001)",
    9000: "A (1998)",
}


def index_of(titles: dict[int, str]) -> TitleIndex:
    ids = np.array(sorted(titles))
    texts = np.empty(len(ids), dtype=object)
    texts[:] = [titles[i] for i in ids.tolist()]
    return TitleIndex(Vocabulary(ids), ItemTable(texts))


INDEX = index_of(TITLES)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("the matrix", 2571),
        ("Matrix, The (1999)", 2571),
        ("matrix", 2571),
        ("  MATRIX   1999 ", 2571),
        ("The Matrix [1999]", 2571),
        ("toy story", 1),
        ("toy story 2", 2),
        ("Toy Story II", 2),
        ("toy stroy", 1),
        ("heat", 6),
        ("the city of lost children", 29),
        ("cite des enfants perdus", 29),
        ("La Cité des Enfants Perdus", 29),
        ("se7en", 47),
        ("il postino", 58),
        ("postman", 58),
        ("empire strikes back", 1196),
        ("the empire strikes bakc", 1196),
        ("star wars episode 4", 260),
        ("godfather", 858),
        ("godfather part 2", 1221),
        ("mash", 1294),
        ("la confidential", 1617),
        ("spiderman", 2001),
        ("l'avventura", 3000),
        ("avventura", 3000),
        ("les miserables 1998", 4001),
        ("dr strangelove", 5000),
        ("stop worrying and love the bomb", 5000),
        ("blade runner 2049", 6000),
        ("blade runner", 7000),
        ("千と千尋の神隠し", 8000),
        ("A", 9000),
        ("260", 260),
        ("1997", 1997),
        ("1984", 1997),
    ],
)
def test_a_title_from_memory_is_found(text: str, item: int) -> None:
    assert INDEX.find(text) == item


@pytest.mark.parametrize(("item", "title"), TITLES.items())
def test_every_title_finds_itself(item: int, title: str) -> None:
    assert INDEX.find(title) == item
    assert INDEX.search(title, 1)[0].id == item


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("star wars", [260, 1196]),
        ("les misérables", [4000, 4001]),
        ("rocky", [2409, 2410]),
    ],
)
def test_an_ambiguous_title_lists_its_candidates(text: str, candidates: list[int]) -> None:
    with pytest.raises(UsageError) as caught:
        INDEX.find(text)
    for item in candidates:
        assert f"{TITLES[item]} [id {item}]" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "near"), [("heat 1996", 6), ("rocky 7", 2409), ("the matricks", 2571)]
)
def test_no_match_names_the_nearest(text: str, near: int) -> None:
    with pytest.raises(UnknownIdError, match=f"nearest: .*id {near}"):
        INDEX.find(text)


@pytest.mark.parametrize("text", ["", "   ", "()", "(1999)", "?", "\x00", "zzzzqqqq", "'", "the"])
def test_nonsense_is_no_title(text: str) -> None:
    with pytest.raises(UnknownIdError, match="no title like"):
        INDEX.find(text)


def test_without_titles_only_ids_count() -> None:
    index = TitleIndex(Vocabulary(np.array(["a", "b"], dtype=object)), None)
    assert index.find("b") == "b"
    assert index.search("b") == []
    with pytest.raises(UnknownIdError, match="has no titles, so give an id"):
        index.find("matrix")


def test_the_id_wins_over_a_title() -> None:
    index = index_of({300: "Heat", 5: "300 (2006)"})
    assert index.find("300") == 300
    assert index.find("300 (2006)") == 5


words = st.lists(st.text(string.ascii_lowercase, min_size=4, max_size=9), min_size=2, max_size=5)


@given(words, st.data())
def test_writing_it_differently_finds_the_same(parts: list[str], data: st.DataObject) -> None:
    title = " ".join(parts)
    index = index_of({1: f"{title}, The (1990)", 2: "Quite Another Matter (1950)"})
    joint = data.draw(st.sampled_from([" ", "-", ": ", "  ", " - "]))
    other = joint.join(data.draw(st.sampled_from([str.upper, str.title, str]))(p) for p in parts)
    other = data.draw(st.sampled_from(["", "The ", "the "])) + other
    other += data.draw(st.sampled_from(["", " (1990)", " 1990", "!", ", The", ", The (1990)"]))
    assert index.find(other) == 1


@given(st.text(max_size=20), st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_any_text_finds_an_item_or_says_why(text: str, titles: list[str]) -> None:
    index = index_of(dict(enumerate(titles)))
    try:
        answer = index.find(text)
    except (UsageError, UnknownIdError) as error:
        answer = str(error)
    assert answer in range(len(titles)) or repr(text) in answer
    assert len(index.search(text, 3)) <= 3


def test_it_is_fast_on_a_large_catalogue() -> None:
    rng = np.random.default_rng(0)
    syllables = ["ka", "lo", "mi", "ren", "tas", "vo", "shi", "bel", "dor", "un", "gra", "pe"]
    vocabulary = np.array(["".join(rng.choice(syllables, 3)) for _ in range(3000)])
    chosen = vocabulary[rng.integers(0, 3000, (60_000, 3))].tolist()
    titles = {i: f"{' '.join(w)} {i} ({1950 + i % 70})" for i, w in enumerate(chosen)}
    index = index_of(titles)
    started = time.process_time()
    name = titles[30_000]
    assert index.find(name.upper()) == 30_000
    assert index.find(f"the {name[:-7]}") == 30_000
    index.search("no such thing")
    built = time.process_time() - started
    started = time.process_time()
    for item in range(0, 60_000, 3000):
        assert index.find(titles[item]) == item
        assert index.search(titles[item][3:15])
    each = (time.process_time() - started) / 20
    assert built < 20  # of the processor; about 2 s where it was written
    assert each < 0.5  # about 0.03 s
