"""The folder of a study's runs.

study.toml      the study as it was run, in full
plan.json       which run each (arm, data, seed) is, and the format's version
runs/KEY.json   the record of a finished run, there whole or not at all
live/KEY/       metrics and checkpoint of a run that is not finished
lock            held while an engine works here
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ....base.atomic import is_temporary, remove_stale, write_text
from ....base.locks import try_lock
from ....config import to_toml
from ....errors import DataError, MatineeError, UsageError
from ..plan import FORMAT, Plan, RunName
from ..results import EpochRecord, Results, RunRecord
from ..study import Study

_PLAN = "plan.json"


class RunStore:
    """A study's folder.

    Args:
        path: The folder; nothing is created before ``begin``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, plan: Plan) -> None:
        """Assign the folder to a plan. Existing records of its runs are kept.

        Raises:
            UsageError: The folder is another study's, or of its other version (quick or full).
            DataError: It was written by another version of Matinee.
        """
        before = self._note(must=False)
        # A run that was killed before it wrote its plan leaves these.
        created = ("lock", "study.toml", "runs", "live")
        foreign = [
            file
            for file in self.path.glob("*")
            if not (file.name in created or is_temporary(file))
            or (file.is_dir() and any(file.iterdir()))
        ]
        if before is None and foreign:
            raise UsageError(f"{self.path}: holds something else than a study; name another --out")
        if before is not None:
            if before["study"] != plan.study.name:
                raise UsageError(
                    f"{self.path}: holds the study {before['study']}; name another --out"
                )
            if before["quick"] != (plan.study.cut is not None):
                kind = "quick" if before["quick"] else "full"
                raise UsageError(
                    f"{self.path}: holds the {kind} version of {plan.study.name}; name another "
                    "--out"
                )
        for folder in ("runs", "live"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        note = {
            "format": FORMAT,
            "study": plan.study.name,
            "quick": plan.study.cut is not None,
            "runs": [[*name, key] for name, key in plan.names.items()],
        }
        write_text(self.path / "study.toml", to_toml(plan.study, defaults=False) + "\n")
        write_text(self.path / _PLAN, json.dumps(note, indent=1) + "\n")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other engines out of the folder for the while.

        Raises:
            MatineeError: One is at work in it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a+b") as file:
            if not try_lock(file):
                raise MatineeError(
                    f"{self.path}: another process is running this study; wait for it, or stop it"
                )
            for folder in (self.path, self.path / "runs"):
                remove_stale(folder, every=True)
            yield  # the system releases the lock when the file is closed, or the process dies

    def live(self, key: str) -> Path:
        """Return the folder of a run's metrics and checkpoint."""
        return self.path / "live" / key

    def done(self) -> set[str]:
        """Keys of the runs that have a record."""
        folder = self.path / "runs"
        return {file.stem for file in folder.glob("*.json") if not file.name.startswith(".")}

    def finish(self, record: RunRecord) -> None:
        """Store a record, and remove the run's temporary files."""
        text = json.dumps({"format": FORMAT, **asdict(record)}, indent=1)
        write_text(self.path / "runs" / f"{record.key}.json", text + "\n")
        shutil.rmtree(self.live(record.key), ignore_errors=True)

    def read(self, key: str) -> RunRecord:
        """Return the record of a key.

        Raises:
            DataError: It cannot be read, or has another format.
        """
        file = self.path / "runs" / f"{key}.json"
        values = _read(file)
        _check_format(file, values)
        try:
            epochs = tuple(EpochRecord(**epoch) for epoch in values.pop("epochs"))
            record = RunRecord(**values, epochs=epochs)
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{file}: no record of a run ({error}); remove it, and run again"
            ) from None
        if record.key != key:
            raise DataError(f"{file}: holds the record of {record.key}; remove it, and run again")
        return record

    def results(self) -> Results:
        """Return all finished records.

        Raises:
            DataError: There is no study here, or a record cannot be read.
        """
        note = self._note(must=True)
        assert note is not None
        study = Study.read_toml(self.path / "study.toml")
        names: dict[RunName, str] = {
            (arm, data, seed): key for arm, data, seed, key in note["runs"]
        }
        finished = self.done()
        records = {key: self.read(key) for key in set(names.values()) & finished}
        runs = {name: records[key] for name, key in names.items() if key in records}
        return Results(study, runs, len(names))

    def _note(self, *, must: bool) -> dict[str, Any] | None:
        file = self.path / _PLAN
        if not file.exists():
            if must:
                raise DataError(
                    f"{self.path}: no study was run here; matinee study run NAME --out {self.path}"
                )
            return None
        values = _read(file)
        _check_format(file, values)
        if not {"study", "quick", "runs"} <= set(values):
            raise DataError(f"{file}: not the plan of a study; remove the folder, and run again")
        return values


def load_results(path: Path | str) -> Results:
    """Load the finished runs of a study from its folder, or from a published one.

    Raises:
        DataError: There is no study there, or a record cannot be read.
    """
    from ..archive import is_archive, read_archive

    folder = Path(path).expanduser()
    if is_archive(folder) and not (folder / _PLAN).exists():
        return read_archive(folder)
    return RunStore(folder).results()


def _check_format(file: Path, values: Mapping[str, Any]) -> None:
    version = values.pop("format", None) if isinstance(values, dict) else None
    if version != FORMAT:
        raise DataError(
            f"{file}: written in format {version}, and this Matinee reads {FORMAT}; run the study "
            "again in another folder"
        )


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({error}); remove it, and run again") from None
    if not isinstance(values, dict):
        raise DataError(f"{file}: cannot be read; remove it, and run again")
    return values
