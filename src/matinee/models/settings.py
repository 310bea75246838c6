"""``Settings``: all options of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Self, TypeVar, cast

from pydantic import Field, create_model, field_validator, model_validator
from pydantic.fields import FieldInfo

from ..config import Config, leaves, matching, resolve
from ..errors import UsageError
from ..nn import NetworkConfig
from ..train.config import TrainConfig
from ..train.lists.config import ListsConfig
from .registry import kind_named, kind_of_section, model_kinds

C = TypeVar("C", bound=Config)


class Member(Config):
    """Members of an ensemble that differ in their seed only."""

    preset: str = ""
    """Preset or TOML file to start from; empty for the network and train tables of this file."""
    set: dict[str, Any] = Field({})
    """What is changed in it, by full or bare name, as with --set: { rows = "items" }."""
    copies: int = Field(1, ge=1)
    """Number of copies with different seeds."""

    @field_validator("set", mode="before")
    @classmethod
    def _dotted(cls, value: object) -> object:
        """Join nested TOML tables to a dotted key such as ``train.epochs``."""
        return dict(_flat(value, "")) if isinstance(value, Mapping) else value


_COMMON = ("clip", "half_life")
"""Options of the network and its training that other kinds of model have too."""


class Settings(Config):
    """All options of a model. With the data and the seed they determine the trained model.

    With ``members`` the model is an ensemble (``matinee.Ensemble``). The options of a kind of model
    are in a section of its name; ``make`` returns an instance of a subclass with that section as a
    field, which ``section`` returns.
    """

    description: str = ""
    """What the preset is for, in one line."""
    kind: str = "autoencoder"
    """The kind of model. Only its own sections apply to it, and `network.clip`, which applies to
    all kinds, and `train.half_life`, which applies to those that take weights."""
    network: NetworkConfig = NetworkConfig()
    """The network."""
    train: TrainConfig = TrainConfig()
    """Its training."""
    lists: ListsConfig = ListsConfig()
    """How lists are ordered, for every kind of model."""
    members: tuple[Member, ...] = ()
    """The members of an ensemble; none for a single network."""

    @classmethod
    def make(cls, values: Mapping[str, Any], source: str = "config") -> Self:
        """Build from nested plain values; see ``Config.make``. The kind decides the sections."""
        kind = values.get("kind", "autoencoder")
        if not isinstance(kind, str):
            raise UsageError(f"{source}: kind = {kind!r}: give the name of a kind of model")
        section_class = settings_class(kind_named(kind, source).name)
        used = {k: v for k, v in values.items() if not _idle(section_class, kind, k, v, source)}
        return cast(Self, super(Settings, section_class).make(used, source))

    @classmethod
    def options(cls) -> Mapping[str, FieldInfo]:
        """Return the fields, and the sections of all kinds of model."""
        every = {
            kind.section: FieldInfo(
                annotation=kind.settings, default=kind.settings(), description=kind.summary
            )
            for kind in model_kinds()
            if kind.settings is not None
        }
        return {**every, **cls.model_fields}

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        kind = kind_named(value, "settings")
        if kind.requires or kind.name == "ensemble":
            raise ValueError("no preset describes this kind of model")
        return kind.name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.network.batch_norm and self.train.batch_size == 1:
            raise ValueError("batch_norm needs a batch_size of at least 2")
        if self.network.input_dropout and self.train.objective == "conditional":
            raise ValueError(
                "input_dropout has no effect with objective = 'conditional', which hides a random "
                "share of each row itself"
            )
        if self.network.columns and self.train.refeed != "off":
            raise ValueError("refeed only feeds back outputs; with columns set it off")
        if self.network.output == "ordinal" and self.train.refeed != "off":
            raise ValueError("refeed takes outputs for ratings; with output = 'ordinal' set it off")
        if self.kind != "autoencoder" and self.members:
            raise ValueError(f"an ensemble is made of autoencoders, not of kind {self.kind}")
        for section in ("network", "train"):
            if section not in kind_named(self.kind).sections:
                _refuse_idle(self.kind, section, getattr(self, section))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the kind: the class is made at run time, so pickle cannot find it by name."""
        return _blank, (self.kind,), self.__getstate__()

    @property
    def model_kind(self) -> str:
        """Name of the kind of model that these settings make; "ensemble" if they have members."""
        return "ensemble" if self.members else self.kind

    def section(self, cls: type[C]) -> C:
        """Return the options of this class, the section of the kind of model."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, cls):
                return value
        raise UsageError(f"settings of kind {self.kind} have no {cls.__name__}")

    def teacher(self) -> Settings:
        """Return the settings of the network's teacher."""
        other = "items" if self.network.rows == "users" else "users"
        changed = {
            "network.rows": other,
            "train.epochs": self.train.epochs_of_teacher,
            "train.teacher": "none",
        }
        return self.replace(changed, "teacher")

    def replace(self, settings: Mapping[str, Any], source: str = "config") -> Self:
        """Return a copy with some keys changed, also in every member; see ``Config.replace``.

        A bare key refers to an option of this kind of model if there is one of that name. If the
        kind changes, sections that the new kind does not read are dropped.
        """
        kind = kind_named(str(settings.get("kind", self.kind)), source).name
        values = self.model_dump()
        if kind != self.kind:
            read = kind_named(kind).sections
            used = {name: value for name, value in values.items() if name in read}
            common = {
                "network": {"clip": self.network.clip},
                "train": {"half_life": self.train.half_life},
            }
            values = {**common, **used, "members": ()}
        paths = [option_path(kind, key, source) for key in settings]
        for path, value in zip(paths, settings.values(), strict=True):
            section = values
            for part in path[:-1]:
                section = section.setdefault(part, {})
            section[path[-1]] = value
        changed = type(self).make(values, source)
        for path, value in zip(paths, settings.values(), strict=True):
            if len(path) > 1 and changed.members:
                each = tuple(_put(member, ".".join(path), value) for member in changed.members)
                changed = changed.model_copy(update={"members": each})
        return changed


def option_path(kind: str, key: str, source: str = "config") -> list[str]:
    """Return the path of an option from its full name, or from its last part if unique.

    Sections that the kind of model reads take precedence over the common ones, and common ones over
    those of other kinds.

    Raises:
        UsageError: No such option (with the nearest name), or an ambiguous name.
    """
    common = [name for name, _ in leaves(settings_class(kind).model_fields)]
    sections = kind_named(kind).sections
    read = [n for n in common if n.partition(".")[0] in sections]
    for names in (read, common):
        matches = matching(key, names)
        if len(matches) == 1:
            return matches[0].split(".")
        if matches:
            raise UsageError(f"{source}: {key!r} could be {' or '.join(matches)}; write it in full")
    return resolve(Settings, key, source)


@cache
def settings_class(kind: str) -> type[Settings]:
    """Return the settings class of a kind of model, with a field for its section, if any."""
    kind_entry = kind_named(kind)
    if kind_entry.settings is None:
        return Settings
    options: Any = (kind_entry.settings, kind_entry.settings())
    return create_model(
        "Settings", __base__=Settings, __module__=__name__, **{kind_entry.section: options}
    )


def _blank(kind: str) -> Settings:
    """Return settings without values, which unpickling sets."""
    cls = settings_class(kind)
    return cls.__new__(cls)


def _idle(cls: type[Settings], kind: str, key: str, value: Any, source: str) -> bool:
    """Return whether a key is another kind's section with all options at their defaults.

    Raises:
        UsageError: A section of another kind in which something is set.
    """
    if key in cls.model_fields:
        return False
    other = kind_of_section(key)
    if other is None or other.settings is None or not isinstance(value, Mapping | Config):
        return False  # an unknown key, or no table
    plain = value if isinstance(value, Mapping) else value.model_dump()
    try:
        _refuse_idle(kind, key, other.settings.make(plain, f"{source}: [{key}]"))
    except ValueError as error:
        raise UsageError(f"{source}: {error}") from None
    return True


def _refuse_idle(kind: str, section: str, options: Config) -> None:
    """Refuse an option that this kind of model does not read."""
    plain = type(options)()
    for name in type(options).model_fields:
        if name not in _COMMON and getattr(options, name) != getattr(plain, name):
            sections = kind_named(kind).sections
            used = f"whose section is {', '.join(sections)}" if sections else "which has no options"
            raise ValueError(f"{section}.{name} has no effect on kind {kind}, {used}")


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _put(member: Member, key: str, value: Any) -> Member:
    """Return a member with one more change, by full name, replacing one of the same key."""
    before = {k: v for k, v in member.set.items() if key not in (k, ".".join(_path(k)))}
    return member.model_copy(update={"set": {**before, key: value}})


def _path(key: str) -> list[str]:
    return option_path("autoencoder", key, "members")


_UPDATE_SHARE = 0.1
"""Epochs of an update per epoch of full training."""


def update_epochs(train: TrainConfig) -> int:
    """Return the default number of epochs of an update."""
    return max(1, round(_UPDATE_SHARE * train.epochs))
