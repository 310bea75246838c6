"""The models that an arm may name, besides those that presets describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, nearest

if TYPE_CHECKING:
    from ...models import Recommender

BY_SETTINGS = ("autoencoder", "ensemble", "biased-mf", "sparsefc")
"""Kinds that presets describe: all of their options are ``Settings``."""

KINDS: dict[str, str] = {
    "bias": "matinee.models:Bias",
    "item-mean": "matinee.models:ItemMean",
    "user-mean": "matinee.models:UserMean",
    "global-mean": "matinee.models:GlobalMean",
}
"""By name in a study file, where a model's class (or a function that makes one) stands, as
MODULE:NAME. Called with the arm's ``set`` as options."""

OUTSIDE: dict[str, str] = {
    "surprise-svd": "matinee.lab.rivals._outside:SurpriseSVD",
    "surprise-svdpp": "matinee.lab.rivals._outside:SurpriseSVDpp",
    "cornac-mf": "matinee.lab.rivals._outside:CornacMF",
    "cornac-pmf": "matinee.lab.rivals._outside:CornacPMF",
}
"""Models of other libraries in the same way, behind ``Recommender``."""

LIBRARIES = {"surprise": "scikit-surprise", "cornac": "cornac"}
"""The libraries of these, by the first part of a model's name (which is how they are imported): the
name they are installed by. The extra ``bench`` has all."""


def check_kind(kind: str, source: str) -> None:
    """Refuse a model that is not known.

    Raises:
        UsageError: With the nearest name.
    """
    known = [*KINDS, *OUTSIDE]
    if kind not in known:
        raise UsageError(
            f"{source}: no model {kind!r}{nearest(kind, known)} (there are {', '.join(known)})"
        )


def library(kind: str) -> str:
    """The library that a model comes from, as it is imported; "" for this package's own."""
    return kind.partition("-")[0] if kind in OUTSIDE else ""


def missing(kind: str) -> str:
    """How to install the library that a model needs and that is not there; "" if nothing lacks."""
    needs = library(kind)
    return "pip install 'matinee[bench]'" if needs and find_spec(needs) is None else ""


def make_model(kind: str, options: Mapping[str, Any]) -> Recommender:
    """A model that is ready to be fitted.

    Args:
        kind: One of ``BY_SETTINGS``, or a name of ``KINDS`` or ``OUTSIDE``.
        options: Its settings.

    Raises:
        UsageError: No such model or option, or a library that is not installed.
    """
    if kind in BY_SETTINGS:
        from ...models import model
        from ...train import Settings

        return model(settings=Settings.make(options, "study"), device="cpu")
    check_kind(kind, "study")
    module, _, name = {**KINDS, **OUTSIDE}[kind].partition(":")
    try:
        maker: Callable[..., Recommender] = getattr(import_module(module), name)
        return maker(**options)
    except ImportError as error:
        raise UsageError(f"model {kind}: needs {error.name}, which is not installed") from None
    except TypeError as error:
        raise UsageError(f"model {kind}: {error}") from None
