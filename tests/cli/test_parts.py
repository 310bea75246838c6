"""What a command trains on and scores by is found again from a model's record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from matinee.cli.parts import find_test, read_parts
from matinee.cli.source import Reading
from matinee.data import RULES, fingerprint
from matinee.errors import UsageError

NONE = dict.fromkeys(("user", "item", "rating", "time", "weight", "scale", "missing", "relevant"))
NONE |= {"repeats": None, "k_core": None, "sql": None, "database": None, "items": None}


@pytest.fixture
def table(tmp_path: Path) -> str:
    rows = [f"{u},{i},{(u * i) % 7 - 1},{u * i}" for u in range(1, 40) for i in range(1, 30)]
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating,time\n" + "\n".join(rows) + "\n")
    return str(path)


@pytest.mark.parametrize("by", list(RULES))
@pytest.mark.parametrize("steps", [{}, {"missing": "-1,0", "relevant": 3.0, "k_core": 4}])
def test_parts_are_found_again(table: str, by: str, steps: dict[str, Any]) -> None:
    read = Reading(NONE | steps, table)
    parts = read_parts(table, read, test=None, holdout=0.2, by=by, seed=3)
    assert parts.test is not None
    assert parts.train.implicit == bool(steps)
    assert parts.describe().endswith("with seed 3")
    record = json.loads(json.dumps({"split": parts.protocol, "training": {"source": table}}))
    again = find_test(record, fingerprint(parts.train), Reading(NONE, None))
    assert again is not None
    assert fingerprint(again[0]) == fingerprint(parts.test)
    assert (again[1] is None) == (parts.given is None)


def test_options_that_mean_nothing_are_refused(table: str) -> None:
    read = Reading(NONE, table)
    with pytest.raises(UsageError, match="add --by people"):
        read_parts(table, read, test=None, holdout=0.2, by="user", seed=0, given=0.5)
    cut = Reading(NONE | {"k_core": 3}, "ml-100k/u1")
    with pytest.raises(UsageError, match="--k-core: ml-100k/u1 is a split"):
        read_parts("ml-100k/u1", cut, test=None, holdout=None, by=None, seed=0)


def test_options_of_an_earlier_command_yield_to_those_given() -> None:
    steps = {"header": True, "skip": 1, "delimiter": ";"}
    read = Reading(NONE | {"header": False, "skip": 0}, None).with_steps("r.csv", steps)
    given = {name: read.options[name] for name in steps}
    assert given == {"header": False, "skip": 0, "delimiter": ";"}
    kept = Reading(NONE | {"repeats": "last"}, None).with_steps("r.csv", {"repeats": "mean"})
    assert kept.options["repeats"] == "last"
