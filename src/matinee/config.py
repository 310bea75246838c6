"""The base of every options class: typed, frozen, and strict about names.

The command line, TOML files and Python build the same classes, so an option has one meaning
everywhere, and an unknown key is always an error that suggests the nearest name.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

from .base import toml
from .errors import UsageError, nearest


@dataclass(frozen=True)
class OneOf:
    """Marks a text option that must be a name of a registry: ``Annotated[str, OneOf(RULES)]``.

    Attributes:
        names: The registry, or the names.
    """

    names: Collection[str]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def _check(self, name: str) -> str:
        if name not in self.names:
            raise ValueError(f"must be one of {', '.join(self.names)}{nearest(name, self.names)}")
        return name


class Config(BaseModel):
    """A frozen options class. Subclasses only declare fields."""

    # Fields are described by the docstrings below them; docs/generate.py reads those from the
    # source, since reading them here would cost every command a tenth of a second.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    earlier_names: ClassVar[Mapping[str, str]] = {}
    """Names of options of this class in earlier versions, with the current names. Files with
    the earlier names remain readable."""

    @classmethod
    def make(cls, values: Mapping[str, Any], source: str = "config") -> Self:
        """Build from nested plain values, naming the key and the source in any error.

        Args:
            values: Nested mapping, as read from TOML, JSON or keyword arguments.
            source: Where the values came from, for messages ("my.toml", "--set").

        Raises:
            UsageError: An unknown key (with the nearest name) or a value out of range.
        """
        values = _renamed(cls, values, source, prefix="")
        _check_keys(cls, values, source, prefix="")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise UsageError(f"{source}: {_explain(cls, error)}") from None

    @classmethod
    def options(cls) -> Mapping[str, FieldInfo]:
        """Return every option that values may name: the fields, and a subclass's additions."""
        return cls.model_fields

    def replace(self, settings: Mapping[str, Any], source: str = "config") -> Self:
        """Return a copy with some keys changed; a key is dotted, or bare if unambiguous."""
        values = self.model_dump()
        for key, value in settings.items():
            *path, last = resolve(type(self), key, source)
            section = values
            for part in path:
                section = section[part]
            section[last] = value
        return type(self).make(values, source)

    @classmethod
    def read_toml(cls, path: str | Path) -> Self:
        """Build from a TOML file.

        Raises:
            UsageError: The file is missing, is not TOML, or has an unknown key or a bad value.
        """
        import tomllib

        try:
            content = Path(path).read_bytes()
            marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            text = content.decode("utf-16" if marked else "utf-8-sig")
            return cls.make(tomllib.loads(text), str(path))
        except FileNotFoundError:
            raise UsageError(f"{path}: no such file") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path}: is not UTF-8; save it as UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{path}: not valid TOML: {error}") from None


def fields(cls: type[Config]) -> Iterator[tuple[str, Any]]:
    """Yield every leaf option of a class as (dotted name, pydantic field)."""
    return leaves(cls.options())


def leaves(options: Mapping[str, FieldInfo], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf option of fields, including nested ones, as (dotted name, pydantic field).

    Args:
        options: Fields by name.
        prefix: Dotted name of their section, with a final dot.
    """
    for name, field in options.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Config):
            yield from leaves(inner.options(), f"{prefix}{name}.")
        else:
            yield prefix + name, field


def resolve(cls: type[Config], key: str, source: str = "config") -> list[str]:
    """Return the path of an option named in full ("network.hidden") or by its last part ("hidden").

    Raises:
        UsageError: No such option (with the nearest name), or several.
    """
    names = [name for name, _ in fields(cls)]
    matches = matching(_present_name(cls, key), names)
    if len(matches) == 1:
        return matches[0].split(".")
    if matches:
        raise UsageError(f"{source}: {key!r} could be {' or '.join(matches)}; write it in full")
    short = [name.rsplit(".", 1)[-1] for name in names]
    raise UsageError(f"{source}: unknown key {key!r}{nearest(key, [*names, *short])}")


def matching(key: str, names: Sequence[str]) -> list[str]:
    """Return the options matching a key: the one with that full name, else with that last part.

    If several have that last part, only the least nested: "hidden" is ``network.hidden``, not
    ``lists.net.hidden``.
    """
    if key in names:
        return [key]
    matches = [name for name in names if name.rsplit(".", 1)[-1] == key]
    depth = min((name.count(".") for name in matches), default=0)
    return [name for name in matches if name.count(".") == depth]


def _names_in(value: object) -> object:
    return tuple(map(str.strip, value.split(","))) if isinstance(value, str) else value


ColumnNames = Annotated[bool | tuple[str, ...], BeforeValidator(_names_in)]
"""Names of columns, also as one text with commas; true for the usual ones, false for none."""


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings from ``key=value`` texts; a value is TOML, and a bare word is text.

    ``hidden=128,64,128`` is a list, as is ``hidden=[128, 64, 128]``.

    Raises:
        UsageError: A text without ``=`` or without a key.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--set {pair!r}: write it as key=value")
        settings[key.strip()] = _value(text.strip())
    return settings


def to_toml(config: Config, *, defaults: bool = True) -> str:
    """Return a configuration as TOML text that reads back as the same.

    Args:
        config: The configuration.
        defaults: Whether to write options that are at their default.
    """
    values = config.model_dump(mode="json", exclude_defaults=not defaults)
    return toml.dumps(values)


def differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names of what differs between two records, with a dot within sections."""
    names: list[str] = []
    for key in {**was, **now}:
        one, other = was.get(key), now.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            names += [f"{key}.{name}" for name in differing(one, other)]
        elif one != other:
            names.append(key)
    return names


def _value(text: str) -> Any:
    import tomllib

    for candidate in (text, f"[{text}]" if "," in text else ""):
        try:
            parsed = tomllib.loads(f"value = {candidate}")
        except tomllib.TOMLDecodeError:
            continue
        if len(parsed) == 1:  # more than one key: the text has a line break with TOML after it
            return parsed["value"]
    return text


def _renamed(
    cls: type[Config], values: Mapping[str, Any], source: str, prefix: str
) -> dict[str, Any]:
    """Return values under the present names of their options, in nested sections too."""
    renamed: dict[str, Any] = {}
    for key, value in values.items():
        name = cls.earlier_names.get(key, key)
        if name in renamed:
            earlier = next(old for old, new in cls.earlier_names.items() if new == name)
            raise UsageError(
                f"{source}: {prefix}{earlier} is the earlier name of {prefix}{name}; set one"
            )
        section = _section(cls.model_fields, name)
        if section is not None and isinstance(value, Mapping):
            value = _renamed(section, value, source, f"{prefix}{name}.")
        renamed[name] = value
    return renamed


def _present_name(cls: type[Config], key: str) -> str:
    """Return the current name of an option given by an earlier full name, or the key itself."""
    first, _, rest = key.partition(".")
    name = cls.earlier_names.get(first, first)
    section = _section(cls.options(), name)
    if not rest or section is None:
        return key if rest else name
    return f"{name}.{_present_name(section, rest)}"


def _section(options: Mapping[str, FieldInfo], name: str) -> type[Config] | None:
    """Return the class of the options in a section; None for a leaf option or an unknown name."""
    field = options.get(name)
    section = None if field is None else field.annotation
    return section if isinstance(section, type) and issubclass(section, Config) else None


def _check_keys(cls: type[Config], values: Mapping[str, Any], source: str, prefix: str) -> None:
    for key, value in values.items():
        if key not in cls.model_fields:
            full = matching(key, [name for name, _ in leaves(cls.model_fields)])
            near = f"; did you mean {full[0]!r}?" if full else nearest(key, cls.options())
            raise UsageError(f"{source}: unknown key {prefix + key!r}{near}")
        inner = cls.model_fields[key].annotation
        if isinstance(inner, type) and issubclass(inner, Config) and isinstance(value, Mapping):
            _check_keys(inner, value, source, f"{prefix}{key}.")
        each = get_args(inner)[0] if get_origin(inner) is tuple else None
        if isinstance(each, type) and issubclass(each, Config) and isinstance(value, list | tuple):
            for entry in value:
                if isinstance(entry, Mapping):
                    _check_keys(each, entry, source, f"{prefix}{key}.")


_WORDS = {"tuple_type": "Input should be a list, in brackets"}
"""Messages in place of pydantic's, which name types of Python, by the type of the error."""


def _explain(cls: type[Config], error: ValidationError) -> str:
    """Return a message for the first option in error: its name, its value and what it must be."""
    details = error.errors()
    first = details[0]
    key = _name(cls, first["loc"])
    # An option of several types fails once for each of them.
    reasons = [_WORDS.get(e["type"], e["msg"]) for e in details if _name(cls, e["loc"]) == key]
    message = ", or ".join(reason.removeprefix("Value error, ") for reason in reasons)
    if isinstance(first["input"], Mapping):  # a rule between options: no single value is wrong
        return f"{key}: {message}" if key else message
    return f"{key} = {first['input']!r}: {message}"


def _name(cls: type[Config], path: tuple[int | str, ...]) -> str:
    """Return the dotted name of a pydantic error location, without names of union members."""
    parts: list[str] = []
    section: Any = cls
    for part in path:
        known = isinstance(section, type) and issubclass(section, Config)
        if known or isinstance(part, int):
            parts.append(str(part))
        field = section.model_fields.get(part) if known else None
        section = None if field is None else field.annotation
    return ".".join(parts)
