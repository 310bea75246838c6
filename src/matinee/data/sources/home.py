"""The data folder of this machine, and names that the user registers for data elsewhere."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from ...base.atomic import write_text
from ...errors import DataError, MatineeError, UsageError, nearest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def data_home() -> Path:
    """The folder data is downloaded to and looked up in: ``MATINEE_DATA``, else the user's cache.

    The folder need not exist.
    """
    home = os.environ.get("MATINEE_DATA")
    if home:
        return Path(home).expanduser()
    return _user_folder("XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA")


def registry_path() -> Path:
    """Return the JSON file with the names registered by ``add``, in the configuration folder.

    It is separate from the data home, which may be shared or read-only.
    """
    folder = _user_folder("XDG_CONFIG_HOME", ".config", "Library/Application Support", "APPDATA")
    return folder / "datasets.json"


def registered() -> dict[str, Path]:
    """Registered names of data on disk, and their paths.

    Raises:
        DataError: The registry file cannot be understood.
    """
    path = registry_path()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["datasets"]
        return {str(name): Path(entry) for name, entry in entries.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not a registry of data sets ({error}); mend it, or delete it and "
            "`matinee data add` again"
        ) from None


def add(name: str, path: Path | str) -> Path:
    """Register a name for data on disk, a source like any other; return the absolute path.

    A name of the catalogue is allowed: it then means the data at ``path``.

    Args:
        name: Letters, digits, ``.``, ``_`` and ``-``.
        path: A ratings file, a zip, or a folder as a catalogue data set unpacks to.

    Raises:
        UsageError: The name cannot be one.
        DataError: Nothing is there.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a name: use letters, digits, '.', '_' and '-', as in 'my-ratings'"
        )
    folder = Path(path).expanduser().resolve()
    if not folder.exists():
        raise DataError(f"{path}: no such file or folder")
    if folder.is_dir() and not any(folder.iterdir()):
        raise DataError(f"{path}: an empty folder")
    _write(registered() | {name: folder})
    return folder


def forget(name: str) -> Path:
    """Remove a name that ``add`` registered, not the data; return the path it stood for.

    Raises:
        UsageError: No such name is registered.
    """
    entries = registered()
    if name not in entries:
        raise UsageError(f"{name!r} is not a name given by add{nearest(name, entries)}")
    folder = entries.pop(name)
    _write(entries)
    return folder


def locate(name: str) -> Path | None:
    """Return the path of named data on this machine, or None.

    Searched in this order: the names registered by ``add``; a folder or file of that name in the
    data home (``"ml-1m"``, ``"ml-1m-seed-split/test.dat"``); ``NAME.zip`` in the data home.

    Raises:
        DataError: The name was registered by ``add``, but its path no longer exists.
    """
    folder = registered().get(name)
    if folder is not None:
        if not folder.exists():
            raise DataError(
                f"{name} stands for {folder}, which is gone; "
                f"`matinee data add {name} PATH` or `matinee data forget {name}`"
            )
        return folder
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or parts == (".",):
        return None
    for candidate in (data_home() / name, data_home() / f"{name}.zip"):
        if candidate.is_file() or (candidate.is_dir() and any(candidate.iterdir())):
            return candidate.resolve()
    return None


def _write(entries: dict[str, Path]) -> None:
    datasets = {name: str(entries[name]) for name in sorted(entries)}
    try:
        write_text(registry_path(), json.dumps({"datasets": datasets}, indent=2) + "\n")
    except MatineeError as error:
        variable = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
        hint = "" if sys.platform == "darwin" else f"; set {variable} to a folder you can write to"
        raise MatineeError(f"{error}{hint}") from None


def _user_folder(xdg: str, posix: str, mac: str, windows: str) -> Path:
    # Like git and most command-line tools, an XDG variable that is set counts everywhere.
    variable = os.environ.get(xdg)
    if variable and Path(variable).is_absolute():
        return Path(variable) / "matinee"
    if sys.platform == "win32":
        base = os.environ.get(windows)
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "matinee"
    return Path.home() / (mac if sys.platform == "darwin" else posix) / "matinee"
