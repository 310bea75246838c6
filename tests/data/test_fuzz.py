"""Thousands of odd tables: nothing but MatineeError is raised, and no row goes without a note."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matinee import MatineeError, load

_IDS = ["1", "2", "1.0", "01", " 3", "a", "b c", "é", "NULL", "nan", "", "x_1", "-0", "9" * 20]
_ODD = ['"q', 'q"', '"a,b"', "'s", "a\\b", "\ufeff1", "#7", "1;2", "٧", "\x00", "a\tb"]
_VALUES = ["1", "2", "3.5", "5", "0", "-1", "99"]
_BAD = ["", "x", "nan", "inf", "4,5", "1e400"]
_TIMES = ["1500000000", "1500000000000", "20200101", "2020-01-01", "01/31/2020", "", "soon", "7"]
_ENDS = ["\n", "\r\n", "\r\r\n", "\n\n"]
_LEFT_OUT = re.compile(r"([\d,]+) (?:rows? |repeated )")


def text_of(rng: np.random.Generator) -> tuple[str, int]:
    """A text table and the number of its rows."""
    between = str(rng.choice([",", "\t", ";", "|", "::", " "]))
    odd = rng.random() < 0.3
    columns = int(rng.choice([2, 3, 3, 4, 4, 9]))
    rows = []
    for _ in range(int(rng.integers(0, 12))):
        ids = _IDS + (_ODD if odd else [])
        value = _VALUES + (_BAD if rng.random() < 0.05 else [])
        row = [str(rng.choice(ids)), str(rng.choice(ids)), str(rng.choice(value))]
        row += [str(rng.choice(_TIMES)), *map(str, rng.integers(0, 9, 5))]
        rows.append(between.join(row[: columns - (rng.random() < 0.02)]))
    head = [between.join(["user", "item", "rating", "time", *"abcde"][:columns])]
    end = str(rng.choice(_ENDS)) if rng.random() < 0.3 else "\n"
    # A row of one empty cell is a blank line, which is no row.
    count = sum(row != "" for row in rows)
    return end.join([*(head if rng.random() < 0.7 else []), *rows, ""]), count


def frame_of(rng: np.random.Generator) -> tuple[Any, int]:
    """A data frame or a list of tuples, and the number of its rows."""
    n = int(rng.integers(1, 12))
    kinds = [1, 2.0, float("nan"), None, "1", "a", b"1", b"\xff", 2**70, True, np.float32(3), 1.5]
    ids = [[kinds[int(k)] for k in rng.integers(0, len(kinds), n)] for _ in range(2)]
    values = rng.integers(1, 6, n).astype(str(rng.choice(["f2", "f4", "f8", "i1", "u8"])))
    if rng.random() < 0.3:
        return list(zip(*ids, values.tolist(), strict=True)), n
    frame = pd.DataFrame({"user": ids[0], "item": ids[1], "rating": values})
    return (frame.set_index("user", drop=bool(rng.integers(2))) if rng.random() < 0.3 else frame), n


def check(source: Any, rows: int | None, what: str) -> None:
    try:
        ratings = load(source, allow_single=True)
    except MatineeError:
        return
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error} of {what}") from error
    if rows is None:
        return
    named = sum(
        int(match[1].replace(",", ""))
        for note in ratings.notes
        if (match := _LEFT_OUT.match(note)) is not None
    )
    assert len(ratings) + named == rows, (what, ratings.notes)


def fuzz(folder: Path, seeds: range) -> None:
    path = folder / "r.csv"
    for seed in seeds:
        rng = np.random.default_rng(seed)
        if rng.random() < 0.5:
            text, rows = text_of(rng)
            path.write_bytes(text.encode())
            if rng.random() < 0.1:
                data = bytearray(text.encode())
                for at in rng.integers(0, max(len(data), 1), 3):
                    data[at : at + 1] = rng.bytes(1)
                path.write_bytes(bytes(data))
                check(path, None, f"seed {seed}: {bytes(data)!r}")
            else:
                plain = not any(mark in text for mark in _ODD) and "\t" not in text.strip("\n")
                check(path, rows if plain else None, f"seed {seed}: {text!r}")
        else:
            source, rows = frame_of(rng)
            # Not its text: writing a float16 column out overflows in pandas.
            check(source, rows, f"seed {seed}: a {type(source).__name__}")


def test_odd_tables(tmp_path: Path) -> None:
    fuzz(tmp_path, range(40))


@pytest.mark.slow
def test_two_thousand_odd_tables(tmp_path: Path) -> None:
    fuzz(tmp_path, range(40, 2040))


_GROWTH = """
import resource, sys
from matinee import MatineeError, load
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
load({"user": [1, 2], "item": [1, 2], "rating": [1, 2]})
load(sys.argv[1])
before = peak()
try:
    print(len(load(sys.argv[2])), end=" ")
except MatineeError as error:
    print(len(str(error)) < 2000 and "refused", end=" ")
print(peak() - before)
"""
_LARGE: dict[str, Callable[[], str]] = {
    "rows": lambda: "\n".join(f"{k % 9_000},{k % 700},{k % 5 + 1}" for k in range(900_000)),
    "distinct text ids": lambda: "\n".join(f"u{k}-é,i{k},3" for k in range(400_000)),
    "one line": lambda: "1,2,3," * 1_500_000,
    "one cell": lambda: '"' + "a" * 9_000_000 + '",2,3\n1,2,3',
    "an open quote": lambda: '1,"2,3\n' + "1,2,3\n" * 1_500_000,
    "quote marks": lambda: '"' * 9_000_001,
    "blank lines": lambda: "user,item,rating\n" + "\n" * 9_000_000 + "1,2,3\n",
    "a wide row": lambda: ",".join(f"c{k}" for k in range(5_000)) + "\n" + "1," * 4_999 + "1\n",
    "nested lists": lambda: "[" * 4_000_000 + "]" * 4_000_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", _LARGE)
def test_memory_is_bounded_by_the_size_of_a_file(name: str, tmp_path: Path) -> None:
    small = tmp_path / "small.csv"
    small.write_text("user,item,rating\n1,1,3\n2,2,4\n")
    path = tmp_path / ("large.json" if name == "nested lists" else "large.csv")
    path.write_text(_LARGE[name]())
    command = [sys.executable, "-c", _GROWTH, str(small), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    growth = int(done.stdout.split()[-1])
    assert growth <= 10 * path.stat().st_size + 300 * 2**20, (done.stdout, path.stat().st_size)
