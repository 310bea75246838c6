"""The models of a study's arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...models.registry import kind_named

if TYPE_CHECKING:
    from ...models import Recommender


def by_settings(options: Mapping[str, Any]) -> bool:
    """Return whether an arm's options are complete ``Settings``, not a model's options."""
    return "kind" in options


def make_model(kind: str, options: Mapping[str, Any]) -> Recommender:
    """Return a model that is ready to be fitted, by whole ``Settings`` or options of its class.

    Raises:
        UsageError: No such model or option, or a library that is not installed.
    """
    if by_settings(options):
        from ...models import Settings, model

        return model(settings=Settings.make(options, "study"), device="cpu")
    cls = kind_named(kind, "study").load()
    try:
        instance: Recommender = cls(**options)
    except ImportError as error:
        raise UsageError(f"model {kind}: needs {error.name}, which is not installed") from None
    except TypeError as error:
        raise UsageError(f"model {kind}: {error}") from None
    return instance
