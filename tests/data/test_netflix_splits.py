"""The named splits of the Netflix Prize data, on a small folder in its form."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matinee.data import NAMED_SPLITS, Ratings, add, get, named_parts, named_split, split_files
from matinee.data.netflix import splits
from matinee.errors import DataError, UsageError

sys.path.insert(0, str(Path(__file__).parent))
from netflix_files import Row, write_combined, write_mv

WINDOWS = {
    "netflix/full": ("1999-12-01", "2005-11-30", "2005-12-01", "2005-12-31"),
    "netflix/3m": ("2005-09-01", "2005-11-30", "2005-12-01", "2005-12-31"),
    "netflix/6m": ("2005-06-01", "2005-11-30", "2005-12-01", "2005-12-31"),
    "netflix/1y": ("2004-06-01", "2005-05-31", "2005-06-01", "2005-06-30"),
}
EDGES = sorted(
    {day for window in WINDOWS.values() for day in window} | {"1999-11-30", "2004-05-31"}
)


def rows() -> list[Row]:
    """Ratings on the first and last day of every window and on days between, by 60 users."""
    rng = np.random.default_rng(0)
    days = [*EDGES, *(f"2005-{month:02}-15" for month in range(1, 13))]
    pairs = [(movie, user) for movie in range(1, 41) for user in range(100, 160)]
    return [
        (movie, user, int(rng.integers(1, 6)), days[rng.integers(len(days))])
        for movie, user in pairs
        if user < 155 or movie == 40
    ]


ROWS = rows()


@pytest.fixture(params=[write_mv, write_combined])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder: Path = request.param(tmp_path / "home" / "netflix", ROWS)
    return folder


def triples(*parts: Ratings) -> set[tuple[int, int, int]]:
    """(movie, user, rating) of the rows of all parts."""
    return {
        (int(movie), int(user), int(value))
        for part in parts
        for movie, user, value in zip(
            part.item_ids.decode(part.items),
            part.user_ids.decode(part.users),
            part.values,
            strict=True,
        )
    }


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_the_paper_s(home: Path, name: str) -> None:
    start, stop, first, last = WINDOWS[name]
    train, valid, test = named_parts(name)
    assert valid is not None
    trained = {(m, u, r) for m, u, r, day in ROWS if start <= day <= stop}
    movies, users = {row[0] for row in trained}, {row[1] for row in trained}
    month = {(m, u, r) for m, u, r, day in ROWS if first <= day <= last}
    held = {row for row in month if row[0] in movies and row[1] in users}
    assert triples(train) == trained
    assert triples(valid, test) == held
    assert abs(len(valid) - len(test)) <= 1
    assert len(valid) + len(test) == len(held)
    assert (train.n_users, train.n_items) == (len(users), len(movies))
    assert [part.name for part in (train, valid, test)] == [
        f"{name} train", f"{name} valid", f"{name} test",
    ]  # fmt: skip
    assert train.notes == ()
    gone = len(month) - len(held)
    assert [note.split()[0] for note in test.notes] == ([str(gone)] if gone else [])
    two = named_split(name)
    assert triples(two[0]) == trained
    assert triples(two[1]) == triples(test)
    other = named_parts(name, seed=1)
    assert other.valid is not None
    assert triples(other.test) != triples(test)
    assert triples(other.valid, other.test) == held


def test_counts_of_the_original_are_compared(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "RATINGS", len(ROWS))
    train = named_parts("netflix/3m").train
    assert train.notes[0].endswith(
        f"{len(train):,} training ratings, where the paper counts 13,675,402: this is other data"
    )
    assert len(train.notes) == 4
    entry = NAMED_SPLITS["netflix/3m"]
    assert isinstance(entry, splits.NetflixWindows)
    train, valid, test = named_parts("netflix/3m")
    assert valid is not None
    counts = (len(train), train.n_users, train.n_items, len(valid) + len(test))
    same = replace(entry, counts=counts)
    assert same.read(home, 0, None)[0].notes == ()


def test_the_probe_is_held_out(home: Path) -> None:
    with pytest.raises(DataError, match=r"has no probe.txt"):
        named_split("netflix/probe")
    pairs = [(movie, user) for movie, user, *_ in ROWS[::7]]
    lines: list[str] = []
    for movie, user in pairs:
        lines += [f"{movie}:"] * (f"{movie}:" not in lines) + [str(user)]
    (home / "probe.txt").write_text("\n".join([*lines, "41:", "100", ""]))
    train, valid, test = named_parts("netflix/probe")
    assert valid is None
    assert triples(test) == {(m, u, r) for m, u, r, _ in ROWS[::7]}
    assert triples(train) == {(m, u, r) for m, u, r, _ in ROWS} - triples(test)
    assert test.notes == ("1 pairs of probe.txt have no rating",)
    (home / "probe.txt").write_text("41:\n100\n")
    with pytest.raises(DataError, match="none or all of the ratings"):
        named_split("netflix/probe")
    for text, line in (("100\n", 1), ("1:\n\nx\n", 3), ("1:\n1,2\n", 2), ("1:\n" + "9" * 30, 2)):
        (home / "probe.txt").write_text(text)
        with pytest.raises(DataError, match=rf"probe.txt, line {line}: .* is neither a movie"):
            named_split("netflix/probe")


def test_the_folder_may_be_elsewhere(home: Path, tmp_path: Path) -> None:
    moved = home.rename(tmp_path / "prize")
    with pytest.raises(
        DataError, match=r"netflix/3m: netflix is not on this machine; .* no longer"
    ):
        named_parts("netflix/3m")
    with pytest.raises(UsageError, match="no longer distributed; if you have its folder"):
        get("netflix")
    add("netflix", moved)
    assert len(named_parts("netflix/3m").train)
    with pytest.raises(UsageError, match="did you mean 'netflix/3m'"):
        named_parts("netflix/3n")


def test_progress_is_reported(home: Path) -> None:
    messages: list[str] = []
    named_split("netflix/1y", report=lambda step, done, total: messages.append(step))
    assert list(dict.fromkeys(messages)) == ["reading", "ordering"]


def test_a_folder_s_validation_part(tmp_path: Path) -> None:
    ratings = Ratings.from_arrays(np.arange(40) % 8, np.arange(40) // 8, np.arange(40) % 5)
    split_files(ratings, tmp_path / "three", 0.2, valid=0.2)
    split_files(ratings, tmp_path / "two", 0.2)
    train, valid, test = named_parts(tmp_path / "three")
    assert valid is not None
    assert (len(train), len(valid), len(test)) == (24, 8, 8)
    assert train.user_ids == valid.user_ids == test.user_ids
    assert named_parts(tmp_path / "two").valid is None
    assert [len(part) for part in named_split(tmp_path / "three")] == [24, 8]
