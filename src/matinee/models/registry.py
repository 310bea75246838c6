"""The registry of model kinds: one ``ModelKind`` for each, read by everything that lists models.

A kind is declared in the tuple ``KINDS`` of a module: either a public module of
``matinee.models.kinds``, or a module of another distribution that names it by an entry point of the
group ``matinee.kinds``. Command line, presets, model folders, studies, leaderboard and sweeps read
these declarations. Reading one must not import torch: a class whose module does is given as
"module:Class" and imported on first use.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from ..config import Config
from ..errors import UsageError, nearest

NAMESPACES = ("matinee.models.kinds", "matinee.lab.rivals")
"""Packages whose public modules declare kinds. Those of the lab are imported on demand, so that the
core does not depend on it. Entry points would not do: those of an editable install are only read
when it is installed."""
GROUP = "matinee.kinds"
"""Entry points of other distributions, each naming a module that declares kinds."""

ALIASES = {"global_mean": "global-mean", "item_mean": "item-mean", "user_mean": "user-mean"}
"""Earlier spellings, found in existing model folders and studies."""


@dataclass(frozen=True)
class ModelKind:
    """A kind of model: its class, options, cost estimate and search space.

    Attributes:
        name: Its name in TOML, manifests, studies and on the command line, with hyphens.
        cls: Its class, a ``Recommender``, and a ``Trainable`` if it has presets; or "module:Class".
        summary: One-line description.
        settings: The class of its options, or None.
        section: The TOML section of these options; by default the name with underscores.
        uses: Common sections of ``Settings`` that it also reads: "network", "train", "lists".
        epochs: Largest number of epochs that a run reports, from the settings as plain values.
        cost: Estimated seconds of training on one core, from the settings as plain values and the
            numbers of users and ratings. Only ratios are used.
        shorten: Returns the options to change to train for at most this many epochs.
        space: Returns the default search space around ``Settings``: a dimension table per option.
        measures: Whether its ``fit`` takes ``measure``, further measures of each epoch.
        requires: External library that implements it, as (import name, distribution). Such a
            model has options but no presets.
    """

    name: str
    cls: type | str
    summary: str
    settings: type[Config] | None = None
    section: str = ""
    uses: tuple[str, ...] = ()
    epochs: Callable[[Mapping[str, Any]], int] = lambda settings: 1
    cost: Callable[[Mapping[str, Any], int, int], float] = lambda settings, users, ratings: (
        1.0 + 1e-5 * ratings
    )
    shorten: Callable[[Any, int], dict[str, Any]] = lambda settings, epochs: {}
    space: Callable[[Any], dict[str, Any]] = lambda settings: {}
    measures: bool = False
    requires: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.settings is not None and not self.section:
            object.__setattr__(self, "section", self.name.replace("-", "_"))

    @property
    def sections(self) -> tuple[str, ...]:
        """All sections of ``Settings`` that it reads."""
        return (*self.uses, self.section) if self.section else self.uses

    @property
    def distribution(self) -> str:
        """The distribution that it is installed with."""
        return "matinee" if self.requires is None else self.requires[1]

    @property
    def missing(self) -> str:
        """How to install the required library if it is absent, else ""."""
        absent = self.requires is not None and find_spec(self.requires[0]) is None
        # Results record it, so it does not name a folder as ``install_command`` does.
        return "pip install 'matinee[bench]'" if absent else ""

    def load(self) -> Any:
        """Import its class.

        Raises:
            UsageError: A required library is not installed.
        """
        try:
            return pkgutil.resolve_name(self.cls) if isinstance(self.cls, str) else self.cls
        except ImportError as error:
            raise UsageError(
                f"model {self.name}: needs {error.name}, which is not installed"
            ) from None


def kind_named(name: str, source: str = "") -> ModelKind:
    """Return the kind with this name or earlier spelling.

    Args:
        name: As in a manifest, a preset or a study.
        source: Where the name was read, for error messages.

    Raises:
        UsageError: No such kind (with the nearest name).
    """
    name = ALIASES.get(name, name)
    # Most kinds are declared in a module of their name; then no other is imported.
    stem = name.replace("-", "_")
    for namespace in NAMESPACES:
        if stem in _modules(namespace):
            for kind in _declared(namespace, stem):
                if kind.name == name:
                    return kind
    known = {kind.name: kind for kind in model_kinds()}
    if name not in known:
        location = f"{source}: " if source else ""
        listed = ", ".join(known)
        raise UsageError(
            f"{location}unknown kind of model {name!r}{nearest(name, known)} (there are {listed}; "
            f"one of your own is found by an entry point of the group {GROUP!r})"
        )
    return known[name]


@cache
def model_kinds() -> tuple[ModelKind, ...]:
    """Return all kinds, sorted by name."""
    kinds = [kind for ns in NAMESPACES for stem in _modules(ns) for kind in _declared(ns, stem)]
    return tuple(sorted([*kinds, *_of_other_distributions()], key=lambda kind: kind.name))


def kind_of_section(section: str) -> ModelKind | None:
    """Return the kind whose options are in a section, or None."""
    return next((kind for kind in model_kinds() if kind.section == section), None)


def around(value: float, below: float, above: float, least: int | None = None) -> dict[str, Any]:
    """Return a dimension of a search space on a logarithmic scale.

    ``least`` is the smallest value of an integer setting.
    """
    low, high = float(f"{value / below:.4g}"), float(f"{value * above:.4g}")
    if least is not None:
        low, high = max(least, round(low)), max(least + 1, round(high))
    return {"low": low, "high": high, "log": True}


@cache
def _modules(namespace: str) -> tuple[str, ...]:
    """Return the public modules of a namespace, without packages."""
    try:
        package = import_module(namespace)
    except ImportError:  # the lab may be left out of an installation
        return ()
    modules = pkgutil.iter_modules(package.__path__)
    return tuple(m.name for m in modules if not (m.ispkg or m.name.startswith("_")))


def _of_other_distributions() -> Iterator[ModelKind]:
    for entry in metadata.entry_points(group=GROUP):
        try:
            yield from entry.load().KINDS
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"entry point {entry.name} = {entry.value!r} of group {GROUP}: {error}; fix or "
                "uninstall the distribution that declares it"
            ) from error


def _declared(namespace: str, stem: str) -> tuple[ModelKind, ...]:
    return import_module(f"{namespace}.{stem}").KINDS
