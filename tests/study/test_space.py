"""Search spaces: what may be searched, read from TOML, and what becomes of the values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from matinee.errors import UsageError
from matinee.lab.tune import Dimension, SearchSpace, default_space
from matinee.lab.tune.space import is_whole
from matinee.models import Settings, preset

START = preset("base")


@pytest.mark.parametrize("name", ["base", "default", "tuned", "biased-mf", "sparsefc"])
def test_the_default_space_surrounds_the_preset(name: str) -> None:
    start = preset(name)
    space = default_space(start)
    values = space.start_values(start)
    outside = {k for k in values if not space.dimensions[k].holds(values[k])}
    # A preset without decay cannot lie on its logarithmic range; all else of it does.
    decays = start.train.weight_decay or start.kind != "autoencoder"
    assert outside == (set() if decays else {"train.weight_decay"})
    assert space.apply(start, {k: values[k] for k in values if k not in outside}) == start


def test_a_file_reads_back_as_the_same(tmp_path: Path) -> None:
    space = default_space(preset("default"))
    file = tmp_path / "space.toml"
    file.write_text(space.to_toml())
    assert SearchSpace.read_toml(file) == space


def test_names_in_full_short_and_by_section(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        "[learning_rate]\nlow = 1e-4\nhigh = 1e-2\nlog = true\n"
        '[network.activation]\nchoices = ["elu"]\n'
        '["train.epochs"]\nlow = 2\nhigh = 5\n[hidden]\nchoices = [[8], [8, 4, 8], 16]\n'
    )
    space = SearchSpace.read_toml(file)
    assert list(space.dimensions) == [
        *("train.learning_rate", "network.activation", "train.epochs", "network.hidden"),
    ]
    made = space.apply(START, {"network.hidden": [8, 4, 8], "train.epochs": 3})
    assert (made.network.hidden, made.train.epochs) == ((8, 4, 8), 3)
    assert space.apply(START, {"network.hidden": 16}).network.hidden == (16,)


@pytest.mark.parametrize("key", ["train.validation", "lists.love", "mf.ridge"])
def test_a_number_or_auto_is_searched_among_fractions(key: str) -> None:
    assert not is_whole(key)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"learning_rat": {"low": 1, "high": 2}}, ["learning_rat", "'learning_rate'"]),
        ({"widht": {"low": 1, "high": 2}}, ["widht", "'width'"]),
        ({"train": {"epoch": {"low": 1, "high": 2}}}, ["train.epoch", "'train.epochs'"]),
        ({"epochs": {"low": 1, "hihg": 2}}, ["[epochs]", "hihg", "'high'"]),
        ({"epochs": {"low": 5, "high": 2}}, ["[epochs]", "below"]),
        ({"epochs": {"low": 5}}, ["[epochs]", "low and high"]),
        ({"epochs": {"low": 1, "high": 5, "choices": [3]}}, ["not both"]),
        ({"epochs": {"low": 0, "high": 5}}, ["[epochs]", "0", "greater than or equal to 1"]),
        ({"epochs": {"low": 1.5, "high": 5}}, ["[epochs]", "1.5"]),
        ({"learning_rate": {"low": 0, "high": 1, "log": True}}, ["above 0"]),
        ({"code_dropout": {"low": 0.0, "high": 1.0}}, ["code_dropout", "1.0"]),
        ({"activation": {"choices": ["elu", "rleu"]}}, ["activation", "rleu"]),
        ({"activation": {"low": 1, "high": 2}}, ["give choices"]),
        ({"hidden": {"low": 1, "high": 2}}, ["give choices"]),
        ({"hidden": {"choices": [[4]]}, "width": {"low": 2, "high": 4}}, ["width", "hidden"]),
        ({"width": {"low": 0, "high": 4}}, ["[width]", "greater than or equal to 1"]),
        ({"epochs": 5}, ["epochs = 5", "[epochs]"]),
        ({"epochs": {"low": 1, "high": 2}, "train.epochs": {"low": 1, "high": 2}}, ["twice"]),
        ({"description": {"choices": ["x"]}}, ["description"]),
        ({}, ["nothing to search"]),
    ],
)
def test_wrong_spaces(tables: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        SearchSpace.make(tables, "my.toml")
    for word in ["my.toml", *words]:
        assert word in str(caught.value)


@given(
    layers=st.lists(st.integers(1, 600), min_size=1, max_size=5),
    width=st.integers(1, 2000),
    depth=st.integers(1, 8),
)
def test_width_and_depth(layers: list[int], width: int, depth: int) -> None:
    start = START.replace({"hidden": layers})
    space = SearchSpace.make({"width": {"low": 1, "high": 2000}, "depth": {"low": 1, "high": 8}})
    hidden = space.apply(start, {"width": width, "depth": depth}).network.hidden
    assert (len(hidden), max(hidden)) == (depth, width)
    if depth == len(layers):
        for layer, before in zip(hidden, layers, strict=True):
            assert abs(layer - width * before / max(layers)) <= 0.5 or layer == 1
    assert space.apply(start, space.start_values(start)) == start


def test_what_a_dimension_holds() -> None:
    span = Dimension(low=1, high=4)
    assert [span.holds(v) for v in (1, 2.5, 4, 0.9, 5, "auto", True)] == [True] * 3 + [False] * 4
    choice = Dimension(choices=("auto", 64, [8, 4]))
    assert [choice.holds(v) for v in ("auto", 64, (8, 4), 32)] == [True] * 3 + [False]


def test_settings_are_not_changed_elsewhere() -> None:
    space = default_space(START)
    made = space.apply(START, {"train.learning_rate": 1e-3})
    assert made == START.replace({"learning_rate": 1e-3})
    assert isinstance(made, Settings)
