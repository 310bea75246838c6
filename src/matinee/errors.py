"""Every error Matinee raises on purpose, and the exit code each one ends a command with.

A message names the file, line or value that is wrong and what to do about it. Anything else that
escapes (a traceback) is a bug in Matinee.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MatineeError(Exception):
    """Something Matinee was asked to do could not be done. Commands exit with 1."""

    exit_code = 1


class UsageError(MatineeError):
    """The request itself is wrong: an unknown option, key, preset or name. Commands exit with 2."""

    exit_code = 2


class DataError(MatineeError):
    """A ratings table cannot be read, or holds what no ratings table may hold."""


class LeakError(MatineeError):
    """A test set holds pairs the model was trained on."""


class ModelFileError(MatineeError):
    """A model folder is truncated, altered, or written by a newer Matinee."""


class TrainingError(MatineeError):
    """Training cannot go on: the loss is not finite, or a checkpoint does not fit."""


class ProcessError(MatineeError):
    """The processes of one training run lost one another, or were not given the same."""


class UnknownIdError(MatineeError):
    """A user or item the model has never seen was asked for by id."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known name, or ``""`` if none is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""
