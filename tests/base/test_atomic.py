import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from matinee.base import atomic
from matinee.base.atomic import (
    atomic_path,
    check_writable,
    is_temporary,
    remove_stale,
    scratch_folder,
    write_text,
)
from matinee.base.locks import locked
from matinee.errors import MatineeError

KILLED = """
import os, signal, sys
from pathlib import Path
from matinee.base.atomic import atomic_path, scratch_folder
kind, path = sys.argv[1], Path(sys.argv[2])
with scratch_folder() if kind == "scratch" else atomic_path(path) as temporary:
    (temporary / "a" if kind == "scratch" else temporary).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill(kind: str, path: Path, tmp: Path) -> None:
    command = [sys.executable, "-c", KILLED, kind, str(path)]
    environment = {**os.environ, "TMPDIR": str(tmp)}
    assert subprocess.run(command, env=environment, check=False).returncode == -9


def test_the_next_write_removes_what_a_killed_one_left(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    kill("file", file, tmp_path)
    left = [path for path in tmp_path.iterdir() if path != file]
    assert len(left) == 1
    assert is_temporary(left[0])
    assert file.read_text() == "old"
    atomic.write_text(file, "new")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == "new"


def test_scratch_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    kill("scratch", tmp_path, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
        with scratch_folder() as other:
            assert folder.exists()
            assert other != folder
    assert list(tmp_path.iterdir()) == []


def test_what_a_running_process_writes_stays(tmp_path):
    file = tmp_path / "a.txt"
    with atomic_path(file) as one:
        one.write_text("one")
        with atomic_path(file) as two:
            two.write_text("two")
        assert one.exists()
    assert file.read_text() == "one"
    assert list(tmp_path.iterdir()) == [file]


def test_files_of_others_stay(tmp_path):
    names = [".a.txt.tmp", "a.txt.deadbeef.tmp", ".a.txt.dead.tmp", ".a.txt.DEADBEEF.tmp", ".b"]
    for name in names:
        (tmp_path / name).touch()
    remove_stale(tmp_path, every=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_of_an_unknown_process_only_what_is_old_goes(tmp_path):
    young, old = tmp_path / ".a.deadbeef.tmp", tmp_path / ".a.0badbeef.tmp"
    young.touch()
    old.mkdir()
    os.utime(old, (0, 0))
    remove_stale(tmp_path)
    assert list(tmp_path.iterdir()) == [young]
    remove_stale(tmp_path, every=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_replaced_in_two_steps_comes_back(tmp_path):
    """Where folders cannot be swapped, a kill between the steps leaves none of that name."""
    (tmp_path / ".model.deadbeef.old").mkdir()
    (tmp_path / ".model.deadbeef.old" / "a").write_text("old")
    remove_stale(tmp_path, every=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "a").read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("is_folder", [True, False])
def test_permissions_are_kept(tmp_path: Path, is_folder: bool) -> None:
    path = tmp_path / "private"
    for content in ("old", "new"):
        with atomic_path(path) as temporary:
            if is_folder:
                temporary.mkdir()
            (temporary / "a" if is_folder else temporary).write_text(content)
        if content == "old":
            path.chmod(0o700)
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "a" if is_folder else path).read_text() == "new"


def test_one_process_at_a_time_holds_a_lock(tmp_path):
    folder = tmp_path / "new" / "run"
    code = (
        "import sys; from pathlib import Path; from matinee.base.locks import locked\n"
        "with locked(Path(sys.argv[1]), 'training into it'): print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with (
            pytest.raises(MatineeError, match="another process is training into it"),
            locked(folder, "training into it"),
        ):
            pass
        other.kill()
    with locked(folder, "training into it"):
        pass
    assert list(folder.parent.iterdir()) == []


def test_an_error_names_the_path_that_was_asked_for(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_path(tmp_path / "s") as folder, atomic_path(folder / "x.csv") as file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

    with pytest.raises(MatineeError) as error:
        write()
    assert str(error.value) == f"{tmp_path / 's' / 'x.csv'}: cannot write: No space left on device"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there alone")
def test_a_name_that_is_not_utf8_is_refused_before_long_work(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9") / "model"
    with pytest.raises(MatineeError, match="the name is not UTF-8"):
        check_writable(path)
    with pytest.raises(MatineeError, match="the name is not UTF-8"):
        write_text(path, "")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for target in (pipe, link):
        check_writable(target)
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(pipe.read_text)
            write_text(target, "a\nb\n")
            assert read.result(timeout=10) == "a\nb\n"
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]
    with (
        pytest.raises(MatineeError, match="pipe: cannot write: Not a directory"),
        atomic_path(pipe) as folder,
    ):
        folder.mkdir()
