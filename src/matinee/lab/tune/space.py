"""``SearchSpace``: which settings a sweep varies, and how far."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Self, get_args

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from ...base import toml
from ...config import Config, fields
from ...errors import UsageError, nearest
from ...models.registry import kind_named
from ...models.settings import Settings, option_path

_HIDDEN = "network.hidden"
_SHAPE = ("width", "depth")


@cache
def _options() -> dict[str, Any]:
    """Return every setting of all kinds of model, by full name."""
    return dict(fields(Settings))


@cache
def _sections() -> frozenset[str]:
    return frozenset(key.partition(".")[0] for key in _options() if "." in key)


class Dimension(Config):
    """Where one setting is looked for: between two numbers, or among choices."""

    low: float | None = None
    """Smallest value."""
    high: float | None = None
    """Largest value; a setting that is a whole number takes it too."""
    log: bool = False
    """Whether equal ratios, not equal differences, are equally likely."""
    choices: tuple[Any, ...] = ()
    """The values to choose among, instead of a range."""

    @model_validator(mode="after")
    def _consistent(self) -> Dimension:
        if self.choices:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError("give choices, or low and high, and not both")
        elif self.low is None or self.high is None:
            raise ValueError("give low and high, or choices")
        elif not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError("low must be below high")
        elif self.log and self.low <= 0:
            raise ValueError("with log = true, low must be above 0")
        return self

    def holds(self, value: Any) -> bool:
        """Return whether a value is allowed."""
        if self.choices:
            return any(plain(choice) == plain(value) for choice in self.choices)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (self.low or 0.0) <= value <= (self.high or 0.0)


class SearchSpace(Config):
    """Which settings a sweep varies, and how far.

    In a file, one table a setting, by the names of the settings: ``[learning_rate]`` or
    ``[train.learning_rate]``, with ``low`` and ``high`` (and ``log``), or ``choices``. Two more
    names replace ``hidden``: ``width``, of the widest layer, the others in proportion, and
    ``depth``, the number of layers (of one width, unless it is the preset's own number).
    """

    dimensions: dict[str, Dimension]
    """By the setting's full name."""

    @classmethod
    def make(cls, values: Mapping[str, Any], source: str = "space") -> Self:
        """Build from tables by setting, as read from TOML.

        Raises:
            UsageError: An unknown setting or key (with the nearest name), or a value that the
                setting cannot have.
        """
        dimensions: dict[str, Dimension] = {}
        for name, table in _tables(values, source):
            key = _full_name(name, source)
            if key in dimensions:
                raise UsageError(f"{source}: {key} is given twice")
            dimension = Dimension.make(table, f"{source} [{name}]")
            _check(key, dimension, f"{source} [{name}]")
            dimensions[key] = dimension
        if not dimensions:
            raise UsageError(f"{source}: it names no setting, so there is nothing to search")
        shape = [name for name in _SHAPE if name in dimensions]
        if _HIDDEN in dimensions and shape:
            raise UsageError(f"{source}: {shape[0]} and hidden both set the layers; give one")
        return cls(dimensions=dimensions)

    def apply(self, start: Settings, values: Mapping[str, Any]) -> Settings:
        """Return the settings with some values of this space.

        Raises:
            UsageError: Values that do not go together.
        """
        changes = {key: value for key, value in values.items() if key not in _SHAPE}
        if any(key in values for key in _SHAPE):
            changes[_HIDDEN] = _layers(start.network.hidden, values)
        return start.replace(changes, "sweep")

    def start_values(self, start: Settings) -> dict[str, Any]:
        """Return the value of each dimension in the settings that the search starts from."""
        return {key: _value_of(start, key) for key in self.dimensions}

    def to_toml(self) -> str:
        """Return the space as a TOML file that reads back as the same."""
        tables: dict[str, Any] = {}
        for key, dimension in self.dimensions.items():
            *sections, option = key.split(".")
            table = tables
            for section in sections:
                table = table.setdefault(section, {})
            table[option] = {
                name: int(value) if isinstance(value, float) and value.is_integer() else value
                for name, value in dimension.model_dump(mode="json", exclude_defaults=True).items()
            }
        return toml.dumps(tables)


def default_space(start: Settings) -> SearchSpace:
    """Return a space around some settings.

    The dimensions are declared by each kind of model (``ModelKind.space``): its size, what
    regularises it, and how long it is trained.

    Raises:
        UsageError: The kind has no search space.
    """
    refuse_lists(start)
    tables = kind_named(start.model_kind).space(start)
    return SearchSpace.make(tables, f"default space of {start.kind}")


def refuse_lists(start: Settings) -> None:
    """Refuse models without predicted ratings of their own.

    Raises:
        UsageError: A list model.
    """
    if start.kind == "lists":
        raise UsageError(
            "list models have no predicted ratings of their own, by whose error a sweep compares "
            "settings; compare them with train and evaluate --lists"
        )


def is_whole(key: str) -> bool:
    """Return whether a dimension's values are whole numbers."""
    return float not in _number_types(key)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: tuples become lists."""
    return json.loads(json.dumps(value))


def _tables(values: Mapping[str, Any], source: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return each setting's table, with full names for those in sections."""
    tables: list[tuple[str, Mapping[str, Any]]] = []
    for name, table in values.items():
        if not isinstance(table, Mapping):
            raise UsageError(
                f"{source}: {name} = {table!r}: write a table, [{name}] with low and high, or "
                "choices"
            )
        if name in _sections():
            inner = _tables(table, f"{source} [{name}]")
            tables += [(f"{name}.{key}", each) for key, each in inner]
        else:
            tables.append((name, table))
    return tables


def _full_name(name: str, source: str) -> str:
    if name in _SHAPE:
        return name
    short = [key.rsplit(".", 1)[-1] for key in _options()]
    if name not in _options() and name not in short:
        suggestion = nearest(name, [*_options(), *short, *_SHAPE])
        raise UsageError(f"{source}: unknown setting {name!r}{suggestion}")
    key = ".".join(option_path("autoencoder", name, source))
    if key.partition(".")[0] not in _sections():
        raise UsageError(f"{source}: {key} is not a setting")
    return key


def _check(key: str, dimension: Dimension, source: str) -> None:
    """Refuse values that are invalid for any values of the other settings."""
    if not dimension.choices and not _number_types(key):
        raise UsageError(f"{source}: {key} is no number; give choices")
    kind: Any = Annotated[int, Field(ge=1)]
    if key not in _SHAPE:
        kind = Annotated[_options()[key].annotation, _options()[key]]
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    for value in dimension.choices or (dimension.low, dimension.high):
        try:
            adapter.validate_python([value] if key == _HIDDEN and type(value) is int else value)
        except ValidationError as error:
            raise UsageError(f"{source}: {value!r}: {error.errors()[0]['msg']}") from None


def _number_types(key: str) -> set[type]:
    """Return which of int and float the values of a setting may be; neither for the layers."""
    if key in _SHAPE:
        return {int}
    annotation = _options()[key].annotation
    types = {annotation, *get_args(annotation)}
    types |= {inner for each in types for inner in get_args(each)}
    return set() if key == _HIDDEN else types & {int, float}


def _value_of(start: Settings, key: str) -> Any:
    if key == "width":
        return max(start.network.hidden)
    if key == "depth":
        return len(start.network.hidden)
    value: Any = start
    for part in key.split("."):
        value = getattr(value, part)
    return plain(value)


def _layers(hidden: tuple[int, ...], values: Mapping[str, Any]) -> list[int]:
    widest = max(hidden)
    width, depth = int(values.get("width", widest)), int(values.get("depth", len(hidden)))
    if depth != len(hidden):
        return [width] * depth
    return [max(1, round(width * layer / widest)) for layer in hidden]
