"""Downloads against a server on this machine: whole, broken, resumed, wrong."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from matinee.data import CATALOGUE, Dataset, get, locate
from matinee.data.sources.download import fetch
from matinee.errors import MatineeError, UsageError


def archive(rows: int = 20_000, seed: int = 0) -> bytes:
    noise = random.Random(seed)
    text = "".join(f"{u}::{noise.getrandbits(40)}::4::9\n" for u in range(rows))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("Toy-Folder/ratings.dat", text)
        out.writestr("Toy-Folder/README", "terms")
    return file.getvalue()


@dataclass
class Server:
    """A file server that misbehaves on request."""

    body: bytes
    etag: str | None = '"one"'
    ranges: bool = True
    break_after: int | None = None
    breaks: int = 10**9
    pause: float = 0.0
    status: int = 200
    md5_file: bytes | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(archive())

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            if self.path.endswith(".md5"):
                body = state.md5_file
                self.send_response(200 if body else 404)
                self.end_headers()
                self.wfile.write(body or b"")
                return
            state.asked.append(dict(self.headers))
            if state.status != 200:
                self.send_response(state.status)
                self.end_headers()
                return
            start, total = 0, len(state.body)
            wanted = self.headers.get("Range")
            fresh = self.headers.get("If-Range") in (None, state.etag)
            if wanted and state.ranges and fresh:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= total:
                    self.send_response(416)
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(total - start))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            stop = total
            if state.break_after is not None and state.breaks > 0:
                state.breaks -= 1
                stop = min(total, start + state.break_after)
            for at in range(start, stop, 4096):
                self.wfile.write(state.body[at : min(at + 4096, stop)])
                if state.pause:
                    self.wfile.flush()
                    time.sleep(state.pause)
            if stop < total:
                self.close_connection = True

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    state.url = f"http://127.0.0.1:{http.server_port}/toy.zip"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


def dataset(server: Server, **changes: object) -> Dataset:
    made = replace(
        CATALOGUE["ml-1m"], name="toy", url=server.url, md5=hashlib.md5(server.body).hexdigest()
    )
    return replace(made, **changes)


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def test_whole(server: Server, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    folder = fetch(
        dataset(server), tmp_path / "home", progress=lambda done, total: steps.append((done, total))
    )
    assert folder == tmp_path / "home" / "toy"
    # The archive's own top folder is dropped: the data has the name it was asked for by.
    assert names(folder) == {"ratings.dat", "README"}
    assert folder.joinpath("ratings.dat").read_text().count("\n") == 20_000
    assert names(tmp_path / "home") == {"toy"}
    assert steps[0][0] == 0
    assert steps[-1] == (len(server.body), len(server.body))
    assert "Range" not in server.asked[0]


def test_broken_connection_is_resumed_at_once(server: Server, tmp_path: Path) -> None:
    server.break_after = len(server.body) // 3
    fetch(dataset(server), tmp_path, wait=0.01)
    assert names(tmp_path) == {"toy"}
    starts = [asked.get("Range") for asked in server.asked]
    third = len(server.body) // 3
    assert starts[:3] == [None, f"bytes={third}-", f"bytes={2 * third}-"]
    assert server.asked[1]["If-Range"] == '"one"'


def test_gives_up_and_resumes_later(server: Server, tmp_path: Path) -> None:
    def stop_half_way(done: int, total: int | None) -> None:
        if done >= len(server.body) // 2:
            raise KeyboardInterrupt

    server.pause = 0.001
    wanted = dataset(server)
    with pytest.raises(KeyboardInterrupt):
        fetch(wanted, tmp_path, progress=stop_half_way)
    assert names(tmp_path) == {"toy.zip.part", "toy.zip.part.json"}
    kept = (tmp_path / "toy.zip.part").stat().st_size
    assert len(server.body) // 2 <= kept < len(server.body)

    server.break_after = 0  # Now nothing comes through at all.
    with pytest.raises(MatineeError, match=r"MB so far are kept.*`matinee data get toy` resumes"):
        fetch(wanted, tmp_path, wait=0.0)
    assert (tmp_path / "toy.zip.part").stat().st_size == kept

    server.break_after = None
    server.asked.clear()
    fetch(wanted, tmp_path)
    assert names(tmp_path) == {"toy"}
    assert all(asked["Range"] == f"bytes={kept}-" for asked in server.asked)


def test_killed_and_resumed(server: Server, tmp_path: Path) -> None:
    server.pause = 0.01
    wanted = dataset(server)
    script = (
        "import sys\nfrom pathlib import Path\nfrom dataclasses import replace\n"
        "from matinee.data import CATALOGUE\n"
        "from matinee.data.sources import download as _download\n"
        "_download._BLOCK = 4096\n"
        "wanted = replace(CATALOGUE['ml-1m'], name='toy', url=sys.argv[1], md5=sys.argv[2])\n"
        "_download.fetch(wanted, Path(sys.argv[3]), progress=lambda d, t: print(d, flush=True))\n"
    )
    command = [sys.executable, "-c", script, server.url, str(wanted.md5), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) > 20_000:
                break
        child.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    assert names(tmp_path) == {"toy.zip.part", "toy.zip.part.json"}
    kept = (tmp_path / "toy.zip.part").stat().st_size
    assert 20_000 < kept < len(server.body)
    server.pause = 0.0
    server.asked.clear()
    fetch(wanted, tmp_path)
    assert server.asked[0]["Range"] == f"bytes={kept}-"
    assert names(tmp_path) == {"toy"}


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from matinee.base import atomic
from matinee.data import CATALOGUE
from matinee.data.sources.download import fetch

steps = 0

def killing(step):
    def called(path, *more):
        global steps
        steps += 1
        if steps == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)
        step(path, *more)
    return called

atomic._sync, atomic._put = killing(atomic._sync), killing(atomic._put)
fetch(replace(CATALOGUE["ml-1m"], name="toy", url=sys.argv[1], md5=sys.argv[2]), Path(sys.argv[3]))
"""
"""Downloads, and dies at that step of the atomic writes: of the note, then of the data."""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.parametrize(
    "step", [4, *(pytest.param(step, marks=pytest.mark.slow) for step in (1, 2, 3))]
)
def test_killed_within_a_write(server: Server, tmp_path: Path, step: int) -> None:
    wanted, whole = dataset(server), tmp_path / "whole"
    command = [sys.executable, "-c", KILLED, server.url, str(wanted.md5), str(tmp_path / "home")]
    died = subprocess.run([*command, str(step)], capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not (tmp_path / "home" / "toy").exists()
    fetch(wanted, tmp_path / "home")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["toy"]
    fetch(wanted, whole)
    files = [sorted((home / "toy").rglob("*.*")) for home in (tmp_path / "home", whole)]
    contents = [[path.read_bytes() for path in each] for each in files]
    assert contents[0] == contents[1] != []


def leave_part(home: Path, server: Server, content: bytes, etag: str = '"one"') -> None:
    home.mkdir(exist_ok=True)
    (home / "toy.zip.part").write_bytes(content)
    note = {"url": server.url, "validator": etag, "total": len(server.body)}
    (home / "toy.zip.part.json").write_text(json.dumps(note))


@pytest.mark.parametrize("ranges", [True, False])
def test_resume_where_the_server_has_no_ranges(
    server: Server, tmp_path: Path, ranges: bool
) -> None:
    leave_part(tmp_path, server, server.body[:5000])
    server.ranges = ranges
    received: list[int] = []
    fetch(dataset(server), tmp_path, progress=lambda done, total: received.append(done))
    assert received[0] == (5000 if ranges else 0)
    assert len(server.asked) == 1
    assert names(tmp_path) == {"toy"}


def test_archive_changed_on_the_server(server: Server, tmp_path: Path) -> None:
    leave_part(tmp_path, server, b"x" * 5000, etag='"old"')
    fetch(dataset(server), tmp_path)
    assert [asked.get("If-Range") for asked in server.asked] == ['"old"']
    assert names(tmp_path) == {"toy"}


def test_part_of_something_else_is_started_again(server: Server, tmp_path: Path) -> None:
    # Same tag, other bytes: only the MD5 can tell.
    leave_part(tmp_path, server, b"x" * 5000)
    fetch(dataset(server), tmp_path)
    assert [asked.get("Range") for asked in server.asked] == ["bytes=5000-", None]
    assert names(tmp_path) == {"toy"}


def test_part_longer_than_the_archive(server: Server, tmp_path: Path) -> None:
    leave_part(tmp_path, server, b"x" * (len(server.body) + 7))
    fetch(dataset(server), tmp_path, wait=0.0)
    assert names(tmp_path) == {"toy"}


def test_complete_part_needs_no_network(server: Server, tmp_path: Path) -> None:
    leave_part(tmp_path, server, server.body)
    fetch(dataset(server), tmp_path)
    assert server.asked == []
    assert names(tmp_path) == {"toy"}


def test_part_without_a_note_is_not_trusted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "toy.zip.part").write_bytes(server.body[:100])
    fetch(dataset(server), tmp_path)
    assert [asked.get("Range") for asked in server.asked] == [None]


def test_wrong_md5(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MatineeError, match=r"has MD5 [0-9a-f]{32}, not 0{32} as published"):
        fetch(dataset(server, md5="0" * 32), tmp_path)
    assert names(tmp_path) == set()


def test_old_data_survives_a_failed_download(server: Server, tmp_path: Path) -> None:
    fetch(dataset(server), tmp_path)
    server.body = b"not a zip at all"
    with pytest.raises(MatineeError, match="not a sound zip archive"):
        fetch(dataset(server), tmp_path)
    assert names(tmp_path) == {"toy"}
    assert names(tmp_path / "toy") == {"ratings.dat", "README"}


def test_truncated_zip_on_the_server(server: Server, tmp_path: Path) -> None:
    server.body = server.body[: len(server.body) // 2]
    with pytest.raises(MatineeError, match="not a sound zip archive"):
        fetch(dataset(server, md5=None), tmp_path)
    assert names(tmp_path) == set()


def test_damaged_member(server: Server, tmp_path: Path) -> None:
    body = bytearray(server.body)
    body[len(body) // 2] ^= 0xFF
    server.body = bytes(body)
    with pytest.raises(MatineeError, match="not a sound zip archive"):
        fetch(dataset(server), tmp_path)
    assert names(tmp_path) == set()


def test_members_outside_the_archive(server: Server, tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("../evil.txt", "x")
    server.body = file.getvalue()
    with pytest.raises(MatineeError, match="members outside itself"):
        fetch(dataset(server), tmp_path / "home")
    assert not (tmp_path / "evil.txt").exists()
    assert not (tmp_path / "home" / "toy").exists()


def test_md5_beside_the_archive(server: Server, tmp_path: Path) -> None:
    server.md5_file = b"MD5 (toy.zip) = " + b"0" * 32 + b"\n"
    with pytest.raises(MatineeError, match=r"not 0{32} as published"):
        fetch(dataset(server, md5=None), tmp_path)
    server.md5_file = f"MD5 (toy.zip) = {hashlib.md5(server.body).hexdigest()}\n".encode()
    fetch(dataset(server, md5=None), tmp_path)
    assert names(tmp_path) == {"toy"}


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, 4)])
def test_refused(server: Server, tmp_path: Path, status: int, tries: int) -> None:
    server.status = status
    with pytest.raises(MatineeError, match=f"the server answered {status}"):
        fetch(dataset(server), tmp_path, wait=0.0)
    assert len(server.asked) == tries
    assert names(tmp_path) == set()


def test_no_network(tmp_path: Path) -> None:
    gone = replace(CATALOGUE["ml-1m"], url="http://127.0.0.1:9/ml-1m.zip")
    with pytest.raises(MatineeError, match=r"cannot reach the server .*matinee data add ml-1m"):
        fetch(gone, tmp_path)
    assert names(tmp_path) == set()


def test_second_download_of_the_same_name(server: Server, tmp_path: Path) -> None:
    def again(done: int, total: int | None) -> None:
        if done:
            with pytest.raises(MatineeError, match="another download of it is running"):
                fetch(dataset(server), tmp_path)

    fetch(dataset(server), tmp_path, progress=again)
    assert names(tmp_path) == {"toy"}


def test_get_by_name(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with pytest.raises(UsageError, match=r"'ml-1n' is not in the catalogue; did you mean 'ml-1m'"):
        get("ml-1n")
    path = get("ml-latest-small", url=server.url)
    assert path == locate("ml-latest-small")
    server.status = 404
    assert get("ml-latest-small", url=server.url) == path
    with pytest.raises(MatineeError, match="404"):
        get("ml-latest-small", url=server.url, force=True)
    assert path.joinpath("ratings.dat").exists()


def test_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(MatineeError, match="set MATINEE_DATA to a folder you can write to"):
        fetch(CATALOGUE["ml-1m"], tmp_path / "home")
