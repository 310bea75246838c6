"""A PostgreSQL of Debian's packages, in a folder of its own, listening at a socket in it."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path


def postgresql_programs() -> Path | str:
    """The folder of the programs, or why there is none."""
    names = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    named = shutil.which("initdb")
    if named and not names:
        names.append(Path(named))
    if not names:
        return "no PostgreSQL on this machine (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not (_has_user() and shutil.which("runuser")):
        return "PostgreSQL does not run as root, and there is no user postgres to run it as"
    return names[-1].parent


class PostgreSQL:
    """A server that lasts as long as the ``with``."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # A socket's path may have 107 bytes, which those below pytest's folders exceed.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._names = itertools.count()

    def __enter__(self) -> PostgreSQL:
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        try:
            self._run(
                *("initdb", "--pgdata", self._data, "--auth", "trust", "--username", "matinee"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            )
            self._control("start", "-o", f"-F -k {self._folder} -c listen_addresses=''")
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def empty(self) -> str:
        """The URL of a new database."""
        name = f"matinee{next(self._names)}"
        self._run("createdb", "--host", self._folder, "--username", "matinee", name)
        return f"postgresql://matinee@/{name}?host={self._folder}"

    def execute(self, url: str, statements: str) -> None:
        """Run SQL in a database of this server."""
        name = url.partition("@/")[2].partition("?")[0]
        self._run(
            *("psql", "--host", self._folder, "--username", "matinee", "--quiet"),
            *("--set", "ON_ERROR_STOP=1", "--command", statements, name),
        )

    def end_connections(self, url: str) -> None:
        """End every connection to a database, as a restart does."""
        name = url.partition("@/")[2].partition("?")[0]
        self.execute(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
        )

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _control(self, *args: object) -> None:
        log = self._folder / "log"
        self._run("pg_ctl", "--pgdata", self._data, "--wait", "--log", log, *args)

    def _run(self, program: str, *args: object) -> None:
        command = [str(self._programs / program), *map(str, args)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def _has_user() -> bool:
    try:
        return bool(pwd.getpwnam("postgres"))
    except KeyError:
        return False
