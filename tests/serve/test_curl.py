"""The README's ``curl`` lines work as they are printed, but for the port."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from serving import Process

from matinee.data import ItemTable
from matinee.models import Bias
from matinee.synth import synthesize

README = Path(__file__).resolve().parents[2] / "README.md"
FILMS = [
    "Alien (1979)",
    "Blade Runner (1982)",
    "Seven Samurai (The Magnificent Seven) (Shichinin no samurai) (1954)",
    "Matrix, The (1999)",
    "Titanic (1997)",
]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the films of the examples."""
    ratings = synthesize(60, 40, 1500, seed=0).ratings
    assert ratings.item_table is not None
    titles = ratings.item_table.titles.copy()
    titles[: len(FILMS)] = FILMS
    named = replace(ratings, item_table=ItemTable(titles, ratings.item_table.genres))
    return Bias().fit(named).save(tmp_path_factory.mktemp("curl") / "model")


def printed() -> list[str]:
    """The commands, continued lines joined."""
    text = README.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^ *(curl .*)$", text, flags=re.MULTILINE)


def test_the_printed_commands(known: Path, process: Callable[..., Process]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    if not printed():
        pytest.skip("the README prints no curl line")
    server = process(model=known)
    for command in printed():
        assert "http://127.0.0.1:8000/" in command
        done = subprocess.run(
            ["sh", "-c", command.replace("http://127.0.0.1:8000", server.url)],
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        answer = json.loads(done.stdout)
        assert "status" not in answer, done.stdout
        assert answer["model"] == server.model()
        assert answer.get("ignored", []) == []
        assert answer.get("items") != []
