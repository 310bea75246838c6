"""Options: strict about names and values, and the same from the command line, TOML and Python."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, strategies as st

from matinee.config import Config, fields, parse_settings, resolve, to_toml
from matinee.errors import UsageError
from matinee.models import Settings, preset, preset_names


class Inner(Config):
    width: int = 3
    both: float = 1.0
    sizes: tuple[int, ...] = (1, 2)


class Outer(Config):
    name: str = ""
    both: float = 2.0
    inner: Inner = Inner()


KEYS = st.from_regex(r"[a-z_][a-z0-9_.]{0,12}", fullmatch=True)


def test_the_names_of_all_options() -> None:
    names = [name for name, _ in fields(Outer)]
    assert names == ["name", "both", "inner.width", "inner.both", "inner.sizes"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("inner.width", ["inner", "width"]),
        ("width", ["inner", "width"]),
        ("both", ["both"]),  # named in full, though another ends in it
        ("inner.both", ["inner", "both"]),
    ],
)
def test_options_by_full_or_last_name(key: str, path: list[str]) -> None:
    assert resolve(Outer, key) == path


def test_a_bare_name_means_the_option_in_the_fewest_sections() -> None:
    class Deep(Config):
        first: Outer = Outer()
        inner: Inner = Inner()

    assert resolve(Deep, "width") == ["inner", "width"]
    assert resolve(Deep, "first.inner.width") == ["first", "inner", "width"]
    assert Deep().replace({"width": 7}).inner.width == 7


def test_sections_within_sections_are_written_as_toml() -> None:
    class Deep(Config):
        first: Outer = Outer()
        last: int = 1

    changed = Deep().replace({"first.inner.width": 7, "last": 3})
    assert "[first.inner]" in to_toml(changed)
    assert Deep.make(tomllib.loads(to_toml(changed))) == changed


def test_every_name_that_could_be_meant_is_listed() -> None:
    class Two(Config):
        left: Inner = Inner()
        right: Inner = Inner()

    with pytest.raises(UsageError, match=r"could be left\.width or right\.width; write it in full"):
        resolve(Two, "width")


class Renamed(Config):
    earlier_names: ClassVar[dict[str, str]] = {"breadth": "width"}
    width: int = 3


class Holder(Config):
    inner: Renamed = Renamed()


def test_an_option_is_read_under_its_earlier_name() -> None:
    assert Holder.make({"inner": {"breadth": 5}}) == Holder(inner=Renamed(width=5))
    assert resolve(Holder, "inner.breadth") == ["inner", "width"]
    assert Holder().replace({"inner.breadth": 5}).inner.width == 5
    assert "width = 3" in to_toml(Holder())
    with pytest.raises(UsageError, match=r"inner\.breadth is the earlier name of inner\.width"):
        Holder.make({"inner": {"breadth": 5, "width": 4}})
    with pytest.raises(UsageError, match="unknown key 'breadth'"):
        resolve(Holder, "breadth")  # a bare name is a present name


def test_dropout_alone_names_no_option() -> None:
    with pytest.raises(UsageError, match=r"unknown key 'dropout'; did you mean '\w+_dropout'"):
        Settings().replace({"dropout": 0.5})
    earlier = Settings().replace({"lists.linear.dropout": 0.5})
    assert earlier.lists.linear.denoising == 0.5
    assert Settings.make({"lists": {"linear": {"dropout": 0.5}}}) == earlier


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 1}, r"x\.toml: unknown key 'widht'$"),
        ({"nam": "a"}, r"x\.toml: unknown key 'nam'; did you mean 'name'\?"),
        ({"width": 1}, r"unknown key 'width'; did you mean 'inner\.width'\?"),
        ({"inner": {"widht": 1}}, r"unknown key 'inner\.widht'; did you mean 'width'\?"),
        ({"inner": {"width": "wide"}}, r"x\.toml: inner\.width = 'wide': "),
        ({"inner": {"sizes": [1, "two"]}}, r"x\.toml: inner\.sizes\.1 = 'two': "),
        ({"inner": {"sizes": "two"}}, r"x\.toml: inner\.sizes = 'two': Input should be a list"),
        ({"inner": 3}, r"x\.toml: inner = 3: "),
        ({"both": math.inf, "name": 1}, r"x\.toml: name = 1: "),
        ({"both": math.inf}, r"x\.toml: both = inf: Input should be a finite number"),
    ],
)
def test_wrong_keys_and_values_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Outer.make(values, "x.toml")


def test_replacing_leaves_the_original() -> None:
    one = Outer()
    two = one.replace({"width": 7, "both": 5}, "--set")
    assert (two.inner.width, two.both, two.inner.both) == (7, 5, 1)
    assert one == Outer()
    assert one.replace({}) == one
    with pytest.raises(UsageError, match=r"--set: unknown key 'wdth'; did you mean 'width'"):
        one.replace({"wdth": 1}, "--set")
    with pytest.raises(ValueError, match="frozen"):
        one.name = "changed"  # type: ignore[misc]


def test_rules_between_options_show_the_rule_and_not_the_table() -> None:
    with pytest.raises(UsageError) as caught:
        Settings().replace({"tied": True, "hidden": [4, 3]}, "--set")
    assert str(caught.value) == (
        "--set: network: a tied decoder needs hidden sizes that read the same backwards"
    )
    with pytest.raises(UsageError) as caught:
        Settings().replace({"batch_size": "x"}, "--set")
    with pytest.raises(UsageError, match=r"input_dropout has no effect with objective = 'cond"):
        preset("default").replace({"input_dropout": 0.2}, "--set")
    assert str(caught.value).startswith("--set: train.batch_size = 'x': Input should be a valid")
    assert "or Input should be 'auto'" in str(caught.value)


def test_toml_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("name = 'a'\n[inner]\nwidth = 5\n")
    assert Outer.read_toml(str(file)) == Outer(name="a", inner=Inner(width=5))
    for encoding in ("utf-8-sig", "utf-16"):  # as Windows writes "matinee presets ... > FILE"
        file.write_bytes("name = 'é'\r\n".encode(encoding))
        assert Outer.read_toml(file).name == "é"
    file.write_bytes(b"name = '\xe9'\n")
    with pytest.raises(UsageError, match="is not UTF-8"):
        Outer.read_toml(file)
    file.write_text("name = \n")
    with pytest.raises(UsageError, match=r"mine\.toml: not valid TOML: .*line 1"):
        Outer.read_toml(file)
    with pytest.raises(UsageError, match=r"none\.toml: no such file"):
        Outer.read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("1e-3", 0.001),
        ("-0.5", -0.5),
        ("true", True),
        ("128,64,128", [128, 64, 128]),
        ("[128, 64]", [128, 64]),
        ("5,", [5]),
        ("elu", "elu"),
        ("'elu'", "elu"),
        ('"a,b"', "a,b"),
        ("a=b", "a=b"),
        ("a,b", "a,b"),
        ("", ""),
        ("5\nx = 3", "5\nx = 3"),
    ],
)
def test_values_on_the_command_line(text: str, value: Any) -> None:
    assert parse_settings([f"key={text}"]) == {"key": value}
    assert parse_settings([f" key = {text} "]) == {"key": value}


@given(st.dictionaries(KEYS, st.integers(-(2**63), 2**63 - 1) | st.booleans(), max_size=5))
def test_numbers_there_and_back(settings: dict[str, Any]) -> None:
    parsed = parse_settings([f"{k}={str(v).lower()}" for k, v in settings.items()])
    assert parsed == settings
    assert all(type(parsed[k]) is type(settings[k]) for k in settings)


@given(KEYS, st.floats(allow_nan=False, allow_infinity=False))
def test_floats_there_and_back(key: str, value: float) -> None:
    assert parse_settings([f"{key}={value!r}"]) == {key: value}


@given(KEYS, st.lists(st.integers(0, 10**6), min_size=2, max_size=6))
def test_lists_there_and_back(key: str, values: list[int]) -> None:
    text = ",".join(map(str, values))
    assert parse_settings([f"{key}={text}"]) == parse_settings([f"{key}=[{text}]"]) == {key: values}


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    settings = parse_settings([f"key={text}"])
    assert list(settings) == ["key"]
    try:
        parsed = parse_settings([text])
    except UsageError as error:
        assert "write it as key=value" in str(error)  # noqa: PT017
        assert "=" not in text or not text.partition("=")[0].strip()
    else:
        assert list(parsed) == [text.partition("=")[0].strip()]


def test_the_last_of_two_settings_counts() -> None:
    assert parse_settings(["a=1", "b=2", "a=3"]) == {"a": 3, "b": 2}


def test_presets_are_there() -> None:
    assert {"base", "tuned", "default"} <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_says_what_it_is_for(name: str) -> None:
    settings = preset(name)
    assert settings.description
    assert Settings.make(settings.model_dump(mode="json"), name) == settings


def test_base_is_the_references_starting_point() -> None:
    base = preset("base")
    network, train = base.network, base.train
    assert network.hidden == (128, 128, 128)
    assert network.activation == "sigmoid"
    assert (network.output_activation, network.output_bias) == ("linear", False)
    assert (network.init, network.init_scale) == ("normal", 0.05)
    assert (network.input, network.center, network.input_scale) == ("ratings", "none", "none")
    assert not network.tied
    assert not network.batch_norm
    assert network.input_dropout == network.code_dropout == 0
    assert (train.optimizer, train.learning_rate, train.batch_size) == ("adam", 5e-4, 16)
    assert (train.beta1, train.beta2, train.eps) == (0.9, 0.999, 1e-8)
    assert train.l2 == train.weight_decay == train.validation == train.warmup == 0
    assert (train.objective, train.schedule) == ("reconstruct", "constant")


def test_tuned_is_base_with_its_conclusion() -> None:
    tuned = preset("tuned")
    changed = {"activation": "elu", "batch_size": 8, "learning_rate": 1e-3}
    base = preset("base").replace(changed | {"epochs": tuned.train.epochs})
    assert tuned == base.replace({"description": tuned.description})


def test_unknown_presets(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown preset 'tune'; did you mean 'tuned'\? \(there"):
        preset("tune")
    with pytest.raises(UsageError, match=r"unknown preset 'bias'; .*--set kind=bias"):
        preset("bias")
    with pytest.raises(UsageError, match=r"unknown preset '\.\./base'"):
        preset("../base")
    file = tmp_path / "own.toml"
    file.write_text("[train]\nepochs = 7\n")
    assert preset(str(file)).train.epochs == 7
    file.write_text("[train]\nepoch = 7\n")
    with pytest.raises(UsageError, match=r"own\.toml: unknown key 'train\.epoch'; did you mean"):
        preset(str(file))
