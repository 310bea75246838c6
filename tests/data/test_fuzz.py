"""Thousands of odd tables: nothing but MatineeError is raised, and no row goes without a note."""

import re
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
    return end.join([*(head if rng.random() < 0.7 else []), *rows, ""]), len(rows)


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
        int(found[1].replace(",", ""))
        for note in ratings.notes
        if (found := _LEFT_OUT.match(note)) is not None
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
