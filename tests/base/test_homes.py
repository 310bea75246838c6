"""Where people run it: places that cannot be written to, forked processes, threads in turn."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matinee.base.atomic import atomic_path, check_writable, write_text
from matinee.errors import MatineeError

USED = """
import sys
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from matinee.base.compiled import shared

@shared("x")
def squares(first, last, x, out):
    for i in range(first, last):
        out[i] = x[i] * x[i]

x = np.arange(1000.0)
def run(_=0):
    out = np.empty_like(x)
    squares(x, out)
    return bool((out == x * x).all())
"""


def script(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", USED + code],
        env={**os.environ, "NUMBA_NUM_THREADS": "2", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_kernels_run_in_a_forked_process() -> None:
    output = script(
        "assert run()\n"
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    print(run(), flush=True)\n"
        "    os._exit(0)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert (output.returncode, output.stdout) == (0, "True\n0\n"), output.stderr


def test_threads_call_a_kernel_at_once() -> None:
    output = script("with ThreadPoolExecutor(8) as pool: print(all(pool.map(run, range(400))))")
    assert (output.returncode, output.stdout) == (0, "True\n"), output.stderr


def test_a_place_is_checked_before_the_work(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deep" / "file.csv")
    assert list(tmp_path.iterdir()) == []
    for path in ("/proc/x.csv", tmp_path / "f" / "x"):
        (tmp_path / "f").touch()
        with pytest.raises(MatineeError, match="cannot write: "):
            check_writable(path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EROFS])
@pytest.mark.parametrize("words", ["IO Error: Could not write: {}", "I/O error: x (os error {})"])
def test_libraries_that_cannot_write_are_a_sentence(
    tmp_path: Path, number: int, words: str
) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    text = words.format(number if "os error" in words else os.strerror(number))

    def fail() -> None:
        with atomic_path(file) as temporary:
            temporary.write_text("half")
            raise RuntimeError(text)

    with pytest.raises(MatineeError) as caught:
        fail()
    assert str(caught.value) == f"{file}: cannot write: {os.strerror(number)}"
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_other_errors_of_the_block_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="own"), atomic_path(tmp_path / "a"):
        raise RuntimeError("own")


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_text("~/x/a.txt", "text")
    assert (tmp_path / "x" / "a.txt").read_text() == "text"
    assert not (tmp_path / "~").exists()
