"""``Settings``: everything that decides a trained model, apart from the data and the seed."""

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
    """Members of an ensemble that differ by their seed alone."""

    preset: str = ""
    """Preset or TOML file to start from; empty for the network and train tables beside it."""
    set: dict[str, Any] = Field({})
    """What is changed in it, by full or bare name, as with --set: { rows = "items" }."""
    copies: int = Field(1, ge=1)
    """How many, each with a seed of its own."""

    @field_validator("set", mode="before")
    @classmethod
    def _dotted(cls, value: object) -> object:
        """TOML makes tables of ``train.epochs = 5``; here it is one key."""
        return dict(_flat(value, "")) if isinstance(value, Mapping) else value


class Settings(Config):
    """Everything that decides a trained model, apart from the data and the seed.

    With ``members`` the model is an ensemble (``matinee.Ensemble``). A kind of model with options
    of its own has them in a section of its own; ``make`` then gives an instance of a subclass with
    that section as a field, which ``section`` returns.
    """

    description: str = ""
    """What the preset is for, in one line."""
    kind: str = "autoencoder"
    """The kind of model. It is set by its own sections alone, and by `network.clip`, which holds
    for all."""
    network: NetworkConfig = NetworkConfig()
    """The network."""
    train: TrainConfig = TrainConfig()
    """Its training."""
    lists: ListsConfig = ListsConfig()
    """How lists are ordered, whatever the kind of model."""
    members: tuple[Member, ...] = ()
    """The members of an ensemble; none for a single network."""

    @classmethod
    def make(cls, values: Mapping[str, Any], source: str = "config") -> Self:
        """Build from nested plain values; see ``Config.make``. The kind decides the sections."""
        kind = values.get("kind", "autoencoder")
        if not isinstance(kind, str):
            raise UsageError(f"{source}: kind = {kind!r}: give the name of a kind of model")
        mine = settings_class(kind_named(kind, source).name)
        kept = {k: v for k, v in values.items() if not _idle(mine, kind, k, v, source)}
        return cast(Self, super(Settings, mine).make(kept, source))

    @classmethod
    def options(cls) -> Mapping[str, FieldInfo]:
        """The fields, and the sections of all kinds of model."""
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
                "input_dropout means nothing with objective = 'conditional', which hides a random "
                "share of each row itself"
            )
        if self.network.input == "levels" and self.train.refeed != "off":
            raise ValueError(
                "refeed needs input = 'ratings' or 'presence': an output is not one of the levels "
                "of input = 'levels'"
            )
        if self.kind != "autoencoder" and self.members:
            raise ValueError(f"an ensemble is made of autoencoders, not of kind {self.kind}")
        for section in ("network", "train"):
            if section not in kind_named(self.kind).sections:
                _refuse_idle(self.kind, section, getattr(self, section))
        return self

    @property
    def model_kind(self) -> str:
        """Name of the kind of model that these settings make: an ensemble where it has members."""
        return "ensemble" if self.members else self.kind

    def section(self, cls: type[C]) -> C:
        """The options of this class, which are those of the kind of model."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, cls):
                return value
        raise UsageError(f"settings of kind {self.kind} have no {cls.__name__}")

    def teacher(self) -> Settings:
        """The settings of the network's teacher."""
        other = "items" if self.network.rows == "users" else "users"
        changed = {
            "network.rows": other,
            "train.epochs": self.train.epochs_of_teacher,
            "train.teacher": "none",
        }
        return self.replace(changed, "teacher")

    def replace(self, settings: Mapping[str, Any], source: str = "config") -> Self:
        """A copy with some keys changed, in every member too; see ``Config.replace``.

        A bare key means an option of this kind of model if it has one of that name. With another
        kind, what that kind does not read is dropped.
        """
        kind = kind_named(str(settings.get("kind", self.kind)), source).name
        values = self.model_dump()
        if kind != self.kind:
            read = kind_named(kind).sections
            kept = {name: value for name, value in values.items() if name in read}
            values = {"network": {"clip": self.network.clip}, **kept, "members": ()}
        paths = [option_path(kind, key, source) for key in settings]
        for path, value in zip(paths, settings.values(), strict=True):
            place = values
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = value
        changed = type(self).make(values, source)
        for path, value in zip(paths, settings.values(), strict=True):
            if len(path) > 1 and changed.members:
                each = tuple(_put(member, ".".join(path), value) for member in changed.members)
                changed = changed.model_copy(update={"members": each})
        return changed


def option_path(kind: str, key: str, source: str = "config") -> list[str]:
    """The path of an option, named in full or, where only one place has it, by its last part.

    The sections that the kind of model reads go before the common ones, and these before those of
    other kinds.

    Raises:
        UsageError: No such option (with the nearest name), or several.
    """
    common = [name for name, _ in leaves(settings_class(kind).model_fields)]
    sections = kind_named(kind).sections
    read = [n for n in common if n.partition(".")[0] in sections]
    for names in (read, common):
        found = matching(key, names)
        if len(found) == 1:
            return found[0].split(".")
    return resolve(Settings, key, source)


@cache
def settings_class(kind: str) -> type[Settings]:
    """The class of settings for a kind of model: with a field for its own section, if it has one.

    Args:
        kind: Its name, not an earlier spelling.
    """
    found = kind_named(kind)
    if found.settings is None:
        return Settings
    own: Any = (found.settings, found.settings())
    made: type[Settings] = create_model(
        "Settings", __base__=Settings, __module__=__name__, **{found.section: own}
    )
    return made


def _idle(cls: type[Settings], kind: str, key: str, value: Any, source: str) -> bool:
    """Whether a key is a section of another kind of model, with all at its default.

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
    """An option that this kind of model has no use for is a mistake, not nothing."""
    plain = type(options)()
    for name in type(options).model_fields:
        if name != "clip" and getattr(options, name) != getattr(plain, name):
            sections = kind_named(kind).sections
            used = f"whose section is {', '.join(sections)}" if sections else "which has no options"
            raise ValueError(f"{section}.{name} means nothing to kind {kind}, {used}")


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _put(member: Member, key: str, value: Any) -> Member:
    """A member with one more change, named in full, over any it had for the same key."""
    before = {k: v for k, v in member.set.items() if key not in (k, ".".join(_path(k)))}
    return member.model_copy(update={"set": {**before, key: value}})


def _path(key: str) -> list[str]:
    return option_path("autoencoder", key, "members")
