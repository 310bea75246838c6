"""The TOML writer against the reader of the standard library."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from matinee.base import toml
from matinee.config import to_toml
from matinee.models import Settings

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
LEAF = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_written_reads_back(values: dict[str, Any]) -> None:
    assert tomllib.loads(toml.dumps(values)) == values


def test_the_layout() -> None:
    values = {"a": {"b": {"x": 1}}, "n": None, "runs": [{"set": {"k": [1, 2]}}], "d": 0.5}
    assert toml.dumps(values) == "d = 0.5\n\n[a.b]\nx = 1\n\n[[runs]]\nset = { k = [1, 2] }"


@pytest.mark.parametrize("description", ["a\x7fb", 'a"b\n', "\u2028", "\\"])
def test_descriptions_of_settings(description: str) -> None:
    settings = Settings(description=description)
    for defaults in (True, False):
        assert Settings.make(tomllib.loads(to_toml(settings, defaults=defaults))) == settings
