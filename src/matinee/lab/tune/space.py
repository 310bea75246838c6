"""``SearchSpace``: which settings a sweep varies, and how far."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Self, get_args

from pydantic import TypeAdapter, ValidationError, model_validator

from ...config import Config, fields, resolve
from ...errors import UsageError, nearest
from ...train import Settings

_FIELDS = dict(fields(Settings))
_HIDDEN = "network.hidden"
_SHAPE = ("width", "depth")
_SECTIONS = tuple(
    name
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Config)
)


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
        """Whether a value is in reach."""
        if self.choices:
            return any(plain(choice) == plain(value) for choice in self.choices)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (self.low or 0.0) <= value <= (self.high or 0.0)


class SearchSpace(Config):
    """Which settings a sweep varies, and how far.

    In a file, one table a setting, by the names of the settings: ``[learning_rate]`` or
    ``[train.learning_rate]``, with ``low`` and ``high`` (and ``log``), or ``choices``. Two more
    names stand for ``hidden``: ``width``, of the widest layer, the others in proportion, and
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
        found: dict[str, Dimension] = {}
        for name, table in _tables(values, source):
            key = _full_name(name, source)
            if key in found:
                raise UsageError(f"{source}: {key} is given twice")
            dimension = Dimension.make(table, f"{source} [{name}]")
            _check(key, dimension, f"{source} [{name}]")
            found[key] = dimension
        if not found:
            raise UsageError(f"{source}: it names no setting, so there is nothing to search")
        shape = [name for name in _SHAPE if name in found]
        if _HIDDEN in found and shape:
            raise UsageError(f"{source}: {shape[0]} and hidden both set the layers; give one")
        return cls(dimensions=found)

    def apply(self, start: Settings, values: Mapping[str, Any]) -> Settings:
        """The settings with some values of this space.

        Raises:
            UsageError: Values that do not go together.
        """
        changes = {key: value for key, value in values.items() if key not in _SHAPE}
        if any(key in values for key in _SHAPE):
            changes[_HIDDEN] = _layers(start.network.hidden, values)
        return start.replace(changes, "sweep")

    def start_values(self, start: Settings) -> dict[str, Any]:
        """The value of each dimension in the settings that the search starts from."""
        return {key: _value_of(start, key) for key in self.dimensions}

    def to_toml(self) -> str:
        """The space as a TOML file that reads back as the same."""
        parts = []
        for key, dimension in self.dimensions.items():
            lines = [f"[{key}]"]
            if dimension.choices:
                lines.append(f"choices = {json.dumps(plain(dimension.choices))}")
            else:
                lines += [f"low = {dimension.low:g}", f"high = {dimension.high:g}"]
                lines += ["log = true"] * dimension.log
            parts.append("\n".join(lines))
        return "\n\n".join(parts)


def default_space(start: Settings) -> SearchSpace:
    """A space around some settings.

    Of an autoencoder: width, depth, dropout, learning rate, decay, epochs and batch size; of
    another kind of model, its size and what regularises it.
    """
    around = {"biased-mf": _around_factors, "sparsefc": _around_sparsefc}
    tables = around.get(start.kind, _around_network)(start)
    return SearchSpace.make(tables, "default space")


def _around_network(start: Settings) -> dict[str, Any]:
    network, train = start.network, start.train
    width, depth = max(network.hidden), len(network.hidden)
    return {
        "width": _around(width, 4.0, 1.5, least=2),
        "depth": {"low": 1, "high": max(2, depth + 1)},
        "code_dropout": {"low": 0.0, "high": 0.9},
        "learning_rate": _around(train.learning_rate, 5.0, 5.0),
        "weight_decay": (
            _around(train.weight_decay, 10.0, 10.0)
            if train.weight_decay
            else {"low": 1e-3, "high": 1.0, "log": True}
        ),
        "epochs": _around(train.epochs, 2.0, 1.5, least=1),
        "batch_size": (
            {"choices": ["auto", 64, 128, 256, 512]}
            if train.batch_size == "auto"
            else _around(train.batch_size, 4.0, 4.0, least=2)
        ),
    }


def _around_factors(start: Settings) -> dict[str, Any]:
    mf = start.mf
    return {
        "factors": _around(mf.factors, 4.0, 4.0, least=1),
        "ridge_power": {"low": 0.0, "high": 1.0},
        "user_ridge": _around(mf.user_ridge, 5.0, 5.0),
        "item_ridge": _around(mf.item_ridge, 5.0, 5.0),
        **({} if mf.ridge == "auto" else {"ridge": _around(mf.ridge, 10.0, 10.0)}),
    }


def _around_sparsefc(start: Settings) -> dict[str, Any]:
    net = start.sparsefc
    return {
        "units": _around(net.units, 4.0, 1.5, least=2),
        "layers": {"low": 1, "high": max(2, net.layers + 1)},
        "lambda_2": _around(net.lambda_2 or 1.0, 5.0, 5.0),
        "lambda_s": _around(net.lambda_s or 0.01, 10.0, 10.0),
        "iterations": _around(net.iterations, 2.0, 1.5, least=1),
    }


def is_whole(key: str) -> bool:
    """Whether a dimension's values are whole numbers."""
    if key in _SHAPE:
        return True
    types = get_args(_FIELDS[key].annotation) or (_FIELDS[key].annotation,)
    return float not in types


def plain(value: Any) -> Any:
    """A value as JSON has it: tuples become lists."""
    return json.loads(json.dumps(value))


def _around(value: float, below: float, above: float, least: int | None = None) -> dict[str, Any]:
    low, high = float(f"{value / below:.4g}"), float(f"{value * above:.4g}")
    if least is not None:
        low, high = max(least, round(low)), max(least + 1, round(high))
    return {"low": low, "high": high, "log": True}


def _tables(values: Mapping[str, Any], source: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Each setting's table, those of a section named in full."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, table in values.items():
        if not isinstance(table, Mapping):
            raise UsageError(
                f"{source}: {name} = {table!r}: write a table, [{name}] with low and high, or "
                "choices"
            )
        if name in _SECTIONS:
            inner = _tables(table, f"{source} [{name}]")
            found += [(f"{name}.{key}", each) for key, each in inner]
        else:
            found.append((name, table))
    return found


def _full_name(name: str, source: str) -> str:
    if name in _SHAPE:
        return name
    short = [key.rsplit(".", 1)[-1] for key in _FIELDS]
    if name not in _FIELDS and name not in short:
        near = nearest(name, [*_FIELDS, *short, *_SHAPE])
        raise UsageError(f"{source}: unknown setting {name!r}{near}")
    key = ".".join(resolve(Settings, name, source))
    if key.partition(".")[0] not in _SECTIONS:
        raise UsageError(f"{source}: {key} is no setting to search over")
    return key


def _check(key: str, dimension: Dimension, source: str) -> None:
    """Refuse what the setting can never be, whatever the others are."""
    if key in _SHAPE:
        adapter: TypeAdapter[Any] = TypeAdapter(int)
        least = 1
    else:
        field = _FIELDS[key]
        rules = field.metadata
        kind: Any = Annotated[field.annotation, *rules] if rules else field.annotation
        adapter = TypeAdapter(kind)
        least = None
    values = dimension.choices or (dimension.low, dimension.high)
    for value in values:
        one = [value] if key == _HIDDEN and isinstance(value, int) else value
        if not dimension.choices and not _takes_numbers(key):
            raise UsageError(f"{source}: {key} is no number; give choices")
        try:
            made = adapter.validate_python(one)
        except ValidationError as error:
            raise UsageError(f"{source}: {value!r}: {error.errors()[0]['msg']}") from None
        if least is not None and made < least:
            raise UsageError(f"{source}: {value!r}: must be at least {least}")


def _takes_numbers(key: str) -> bool:
    if key in _SHAPE:
        return True
    annotation = _FIELDS[key].annotation
    types = [annotation, *get_args(annotation)]
    types += [inner for each in types for inner in get_args(each)]
    return annotation is not bool and key != _HIDDEN and (int in types or float in types)


def _value_of(start: Settings, key: str) -> Any:
    if key == "width":
        return max(start.network.hidden)
    if key == "depth":
        return len(start.network.hidden)
    place: Any = start
    for part in key.split("."):
        place = getattr(place, part)
    return plain(place)


def _layers(own: tuple[int, ...], values: Mapping[str, Any]) -> list[int]:
    widest = max(own)
    width, depth = int(values.get("width", widest)), int(values.get("depth", len(own)))
    if depth != len(own):
        return [width] * depth
    return [max(1, round(width * layer / widest)) for layer in own]
