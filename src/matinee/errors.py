"""The errors that Matinee raises, and the exit code with which each ends a command.

A message names the file, line or value at fault and what to do about it. Any other exception that
reaches the user (a traceback) is a bug in Matinee.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable
from typing import Any


class MatineeError(Exception):
    """Base class: a request could not be carried out. Commands exit with 1."""

    exit_code = 1


class UsageError(MatineeError):
    """An invalid request: an unknown option, key, preset or name. Commands exit with 2."""

    exit_code = 2


class DataError(MatineeError):
    """A ratings table cannot be read, or holds invalid values."""


class LeakError(MatineeError):
    """A test set holds (user, item) pairs that the model was trained on."""


class ModelFileError(MatineeError):
    """A model folder is truncated, altered, or written by a newer Matinee."""


class TrainingError(MatineeError):
    """Training cannot continue: the loss is not finite, or a checkpoint belongs to another run."""


class ProcessError(MatineeError):
    """The processes of a distributed run lost their connection, or have different inputs."""


class FeedbackError(MatineeError):
    """The store of feedback cannot be opened, read or written."""


class UnknownIdError(MatineeError):
    """A user or item id that the model does not know."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known name, or ``""`` if none is close."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def install_command(extra: str) -> str:
    """Return the command that installs an extra of this package; in a clone, from the clone."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        origin = json.loads(distribution("matinee").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    if not origin.get("dir_info", {}).get("editable"):
        return f"pip install 'matinee[{extra}]'"
    return f"pip install -e '{url2pathname(urlsplit(origin['url']).path)}[{extra}]'"


def checked_seed(seed: Any) -> int:
    """Check a seed of random numbers.

    Raises:
        UsageError: It is not a whole number of at least 0.
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"seed must be a whole number of at least 0, not {seed!r}")
    return number
