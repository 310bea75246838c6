"""Download a catalogue data set: resumable, with checked MD5, and written atomically."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BufferedRandom
from pathlib import Path, PurePosixPath

from ..._version import __version__
from ...base.atomic import atomic_path, write_text
from ...base.locks import try_lock
from ...errors import DataError, MatineeError, UsageError, nearest
from .catalogue import CATALOGUE, UNDISTRIBUTED, Dataset
from .home import data_home, locate, registered

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total (None if the server does not tell)."""

_BLOCK = 1 << 18
_TRIES = 4


class _DroppedError(Exception):
    """The connection broke, in a way that trying again may mend."""


def get(
    name: str,
    *,
    url: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    timeout: float = 20.0,
) -> Path:
    """Return the path of a data set of the catalogue, downloaded if it is not in the data home.

    A broken download leaves ``NAME.zip.part`` in the data home and no data; calling ``get`` again
    resumes from there. The data appears as the folder ``NAME`` only once the archive has its
    published MD5 and is unpacked whole.

    Args:
        name: A name of the catalogue.
        url: Another place to download from (a mirror); the MD5 must be the same.
        force: Download even if the data is there, and replace it.
        progress: Called with every block received.
        timeout: Seconds without data after which the connection counts as broken.

    Raises:
        UsageError: The catalogue has no such name.
        MatineeError: No network, no such archive, a wrong MD5, a full or read-only disk.
    """
    if not force:
        existing = locate(name)
        if existing is not None:
            return existing
    elif name in registered():
        raise UsageError(
            f"{name} stands for {registered()[name]}; `matinee data forget {name}` first"
        )
    if name in UNDISTRIBUTED:
        raise UsageError(f"{name}: {UNDISTRIBUTED[name]}")
    if name not in CATALOGUE:
        raise UsageError(
            f"{name!r} is not in the catalogue{nearest(name, CATALOGUE)} "
            f"(it has {', '.join(CATALOGUE)})"
        )
    dataset = CATALOGUE[name]
    source = replace(dataset, url=url) if url else dataset
    return fetch(source, data_home(), progress=progress, timeout=timeout)


def fetch(
    dataset: Dataset,
    home: Path,
    *,
    progress: Progress | None = None,
    timeout: float = 20.0,
    wait: float = 1.0,
) -> Path:
    """Download one data set into a folder, as ``get`` does.

    Args:
        dataset: What to download.
        home: The folder to put it in.
        progress: Called with every block received.
        timeout: Seconds without data after which the connection counts as broken.
        wait: Seconds before the first new try after a broken connection; then twice that, and so
            on. A server that cannot be reached at all is not tried again.
    """
    part = home / f"{dataset.name}.zip.part"
    target = home / dataset.name
    md5 = dataset.md5 or _published_md5(dataset.url, timeout)
    with _part_file(part) as file:
        download = _Download(dataset, part, file, progress, timeout, wait)
        resumed = download.size > 0
        download.run()
        wrong = _wrong_md5(file, md5)
        if wrong and resumed:
            # The partial file may be of another archive: retry from the start.
            download.restart()
            download.run()
            wrong = _wrong_md5(file, md5)
        if wrong:
            download.restart()
            raise MatineeError(
                f"{dataset.url}: the download has MD5 {wrong}, not {md5} as published; it was "
                "discarded. Try again later, or from a mirror with --url"
            )
        try:
            _unpack(file, target)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            download.restart()
            raise MatineeError(
                f"{dataset.url}: not a sound zip archive ({error}); it was discarded"
            ) from None
        download.restart()
    return target


@dataclass(frozen=True)
class _Note:
    """The server's description of the archive of a partial download, stored beside it."""

    url: str
    validator: str | None
    total: int | None


class _Download:
    """One archive on its way into an open part file."""

    def __init__(
        self,
        dataset: Dataset,
        part: Path,
        file: BufferedRandom,
        progress: Progress | None,
        timeout: float,
        wait: float,
    ) -> None:
        self.dataset, self.part, self.file = dataset, part, file
        self.progress, self.timeout, self.wait = progress, timeout, wait
        self.note_path = part.with_name(part.name + ".json")
        self.note = self._read_note()
        if self.note is None:
            self.restart()

    @property
    def size(self) -> int:
        return self.file.seek(0, 2)

    def run(self) -> None:
        """Receive until complete, going on after each break for as long as that gets further."""
        failures = 0
        while self.note is None or self.note.total is None or self.size != self.note.total:
            before = self.size
            try:
                self._receive()
                return
            except _DroppedError as error:
                failures = 1 if self.size > before else failures + 1
                if failures >= _TRIES:
                    self._give_up(str(error))
                time.sleep(self.wait * 2 ** (failures - 1))

    def restart(self) -> None:
        """Discard what was received so far. An empty part file is removed on closing."""
        self.file.truncate(0)
        self.note_path.unlink(missing_ok=True)
        self.note = None

    def _receive(self) -> None:
        url, start = self.dataset.url, self.size
        headers = {"User-Agent": f"matinee/{__version__}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if self.note and self.note.validator:
                headers["If-Range"] = self.note.validator
        try:
            request = urllib.request.Request(url, headers=headers)
            response = urllib.request.build_opener().open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # The part does not match the server's current archive.
                self.restart()
                raise _DroppedError("the archive changed on the server") from None
            if error.code in (408, 429) or error.code >= 500:
                raise _DroppedError(f"the server answered {error.code} {error.reason}") from None
            raise MatineeError(
                f"{url}: the server answered {error.code} {error.reason}; "
                "give the address of a mirror with --url"
            ) from None
        except (http.client.HTTPException, ConnectionResetError) as error:
            raise _DroppedError(f"the connection broke ({error})") from None
        except (OSError, ValueError) as error:
            self._give_up(f"cannot reach the server ({getattr(error, 'reason', error)})")
        with response:
            total = self._begin(response, start)
            if self.progress:
                self.progress(self.size, total)
            while True:
                try:
                    # What has arrived, without waiting for a full block: a kill then loses little.
                    block = response.read1(_BLOCK)
                except (http.client.HTTPException, OSError) as error:
                    raise _DroppedError(f"the connection broke ({error})") from None
                if not block:
                    break
                self._write(block)
                if self.progress:
                    self.progress(self.size, total)
        if total is not None and self.size != total:
            raise _DroppedError(f"the connection closed at {self.size:,} of {total:,} bytes")

    def _begin(self, response: http.client.HTTPResponse, start: int) -> int | None:
        """Adapt the part to the response (from ``start`` on, or all); return the total bytes."""
        headers = response.headers
        ranged = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
        if response.status == 206 and ranged and int(ranged[1]) == start:
            total = None if ranged[2] == "*" else int(ranged[2])
            if self.note and self.note.total not in (None, total):
                self.restart()
                raise _DroppedError("the archive changed on the server")
        elif response.status == 206:
            self.restart()
            raise _DroppedError("the server sent another range than asked for")
        else:
            self.restart()
            length = headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
        etag = headers.get("ETag")
        strong = etag if etag and not etag.startswith("W/") else None
        self.note = _Note(self.dataset.url, strong or headers.get("Last-Modified"), total)
        write_text(self.note_path, json.dumps(self.note.__dict__))
        return total

    def _write(self, block: bytes) -> None:
        try:
            self.file.write(block)
            self.file.flush()
        except OSError as error:
            raise MatineeError(
                f"{self.part}: cannot write: {error.strerror}; make room, or set MATINEE_DATA to "
                "a folder on another disk"
            ) from None

    def _read_note(self) -> _Note | None:
        with suppress(OSError, ValueError, TypeError):
            note = _Note(**json.loads(self.note_path.read_text(encoding="utf-8")))
            if note.url == self.dataset.url:
                return note
        return None

    def _give_up(self, reason: str) -> None:
        size = self.size
        name = self.dataset.name
        advice = (
            f"the {size / 1e6:.1f} MB so far are kept: `matinee data get {name}` resumes from there"
            if size
            else f"try `matinee data get {name}` again when there is a network"
        )
        raise MatineeError(
            f"{self.dataset.url}: {reason}; {advice}. Or bring the archive here some other way and "
            f"`matinee data add {name} FILE.zip`"
        )


@contextmanager
def _part_file(part: Path) -> Iterator[BufferedRandom]:
    """The part file, open to append and locked against a second download of the same name."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("a+b")
    except OSError as error:
        raise MatineeError(
            f"{part}: cannot write: {error.strerror}; set MATINEE_DATA to a folder you can write to"
        ) from None
    with file:
        if not try_lock(file):
            raise MatineeError(f"{part}: another download of it is running")
        try:
            yield file
        finally:
            empty = file.seek(0, 2) == 0
            file.close()
            if empty:
                part.unlink(missing_ok=True)


def _published_md5(url: str, timeout: float) -> str | None:
    """Return the MD5 that GroupLens publishes with a changing archive, if available."""
    with suppress(OSError, ValueError, http.client.HTTPException):
        with urllib.request.build_opener().open(f"{url}.md5", timeout=timeout) as response:
            match = re.search(rb"\b[0-9a-fA-F]{32}\b", response.read(4096))
        return match[0].decode().lower() if match else None
    return None


def _wrong_md5(file: BufferedRandom, expected: str | None) -> str | None:
    """Return the MD5 of an open file if it is not the one expected."""
    if expected is None:
        return None
    file.seek(0)
    digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return None if digest == expected else digest


def _unpack(file: BufferedRandom, target: Path) -> None:
    """Unpack a zip to a folder, without the one folder that all its members may be in."""
    with zipfile.ZipFile(file) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        paths = [PurePosixPath(info.filename) for info in members]
        if not members or any(path.is_absolute() or ".." in path.parts for path in paths):
            raise DataError(f"{target.name}: the archive is empty or has members outside itself")
        tops = {path.parts[0] for path in paths}
        inside = len(tops) == 1 and all(len(path.parts) > 1 for path in paths)
        with atomic_path(target) as temporary:
            for info, path in zip(members, paths, strict=True):
                destination = temporary.joinpath(*path.parts[inside:])
                destination.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as source, destination.open("wb") as out:
                    while block := source.read(_BLOCK):
                        out.write(block)
