"""A study's results as three plain files, to be kept with code or a paper, and read back.

study.toml    the study as it was run
runs.csv      a line for each (arm, data, seed): the run it is, its figures at the last epoch, its
              best epoch, and the figures of the model that is kept
curves.csv    a line for each epoch of each run

Arms that coincide share a run. Figures are kept to six digits, what a run measured once to nine.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...base.atomic import write_text
from ...config import to_toml
from ...errors import DataError
from .plan import runs_of
from .results import EpochRecord, Results, RunRecord
from .series import declared
from .study import Study

_STUDY, _RUNS, _CURVES = FILES = ("study.toml", "runs.csv", "curves.csv")
_FINAL, _LAST, _VERSION = "final.", "last.", "version."


def write_archive(results: Results, folder: Path) -> list[Path]:
    """Write results as ``study.toml``, ``runs.csv`` and ``curves.csv``; return the files.

    Args:
        results: A study's records, finished or not.
        folder: Folder to write to; created if absent.
    """
    position = {arm: at for at, arm in enumerate(declared(results.study))}
    sets = {data.name: at for at, data in enumerate(results.study.data)}
    order = sorted(
        results.runs,
        key=lambda n: (position.get(n[0], len(position)), n[0], sets.get(n[1], 0), n[2]),
    )
    runs = {name: _rounded(results.runs[name]) for name in order}
    keys = _short({record.key for record in runs.values()})
    texts = {
        _STUDY: to_toml(results.study, defaults=False) + "\n",
        _RUNS: _csv(_run_rows(runs, keys)),
        _CURVES: _csv(_curve_rows(runs, keys)),
    }
    for file, text in texts.items():
        write_text(folder / file, text)
    return [folder / file for file in texts]


def is_archive(folder: Path) -> bool:
    """Return whether a folder was written by ``write_archive``."""
    return all((folder / file).is_file() for file in FILES)


def read_archive(folder: Path) -> Results:
    """Read results of ``write_archive``, without the settings of runs, which the study has.

    Raises:
        DataError: A file is missing, or not in the format of ``write_archive``.
    """
    study = Study.read_toml(folder / _STUDY)
    curves: dict[str, list[EpochRecord]] = {}
    for line, row in _read(folder / _CURVES):
        with _naming(folder / _CURVES, line):
            figures = {k: float(v) for k, v in row.items() if v and k not in _EPOCH}
            epoch = EpochRecord(int(row["epoch"]), float(row["seconds"]), figures)
            curves.setdefault(row["run"], []).append(epoch)
    records: dict[str, RunRecord] = {}
    runs: dict[tuple[str, str, int], RunRecord] = {}
    for line, row in _read(folder / _RUNS):
        with _naming(folder / _RUNS, line):
            key = row["run"]
            if key not in records:
                records[key] = _record(row, tuple(curves.get(key, ())))
            runs[row["arm"], row["data"], int(row["seed"])] = records[key]
    expected = max(len(runs_of(study)), len(runs))
    return Results(study, runs, expected)


_EPOCH = ("run", "epoch", "seconds")


@contextmanager
def _naming(file: Path, line: int) -> Iterator[None]:
    """Name the file and the line in errors of reading one."""
    try:
        yield
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{file}, line {line}: not as matinee study publish writes it ({error})"
        ) from None


def _record(row: Mapping[str, str], epochs: tuple[EpochRecord, ...]) -> RunRecord:
    return RunRecord(
        key=row["run"],
        settings={},
        data=row["data"],
        seed=int(row["seed"]),
        status=row["status"],
        error=row["error"],
        epochs=epochs,
        final={k: float(v) for k, v in _with(row, _FINAL)},
        parameters=int(row["parameters"]),
        peak_mib=float(row["peak_mib"]),
        seconds=float(row["seconds"]),
        total_seconds=float(row["total_seconds"]),
        versions=dict(_with(row, _VERSION)),
    )


def _with(row: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if name.startswith(prefix) and value:
            yield name.removeprefix(prefix), value


def _short(keys: set[str]) -> dict[str, str]:
    """Shorten keys to the fewest characters (at least eight) that are unique."""
    length = 8
    while len({key[:length] for key in keys}) < len(keys):
        length += 1
    return {key: key[:length] for key in keys}


def _rounded(record: RunRecord) -> RunRecord:
    """Round the figures as written, so that derived values are reproducible."""
    epochs = tuple(
        replace(epoch, figures={name: float(f"{v:.6g}") for name, v in epoch.figures.items()})
        for epoch in record.epochs
    )
    return replace(record, epochs=epochs)


def _run_rows(
    runs: Mapping[tuple[str, str, int], RunRecord], keys: Mapping[str, str]
) -> list[dict[str, Any]]:
    rows = []
    for (arm, data, seed), record in runs.items():
        best = record.best("held_out")
        last = record.epochs[-1].figures if record.epochs else {}
        rows.append(
            {
                "arm": arm,
                "data": data,
                "seed": seed,
                "run": keys[record.key],
                "status": record.status,
                "error": " ".join(record.error.split()),
                "epochs": len(record.epochs),
                **{_LAST + name: f"{value:.6g}" for name, value in last.items()},
                "best.epoch": best[0] if best else "",
                "best.held_out": f"{best[1]:.6g}" if best else "",
                **{_FINAL + name: f"{value:.9g}" for name, value in record.final.items()},
                "parameters": record.parameters,
                "peak_mib": f"{record.peak_mib:.6g}",
                "seconds": f"{record.seconds:.4g}",
                "total_seconds": f"{record.total_seconds:.4g}",
                **{_VERSION + name: str(value) for name, value in record.versions.items()},
            }
        )
    return rows


def _curve_rows(
    runs: Mapping[tuple[str, str, int], RunRecord], keys: Mapping[str, str]
) -> list[dict[str, Any]]:
    once = {keys[record.key]: record for record in runs.values()}
    return [
        {
            "run": key,
            "epoch": epoch.epoch,
            "seconds": f"{epoch.seconds:.3g}",
            **{name: f"{value:.6g}" for name, value in epoch.figures.items()},
        }
        for key, record in once.items()
        for epoch in record.epochs
    ]


def _csv(rows: list[dict[str, Any]]) -> str:
    """Format rows with the union of their columns, grouping columns of one kind."""
    first = rows[0] if rows else dict.fromkeys(_EPOCH, "")
    columns = dict.fromkeys(first)
    for row in rows:
        columns |= dict.fromkeys(row)
    kinds = list(dict.fromkeys(name.partition(".")[0] for name in columns))
    ordered = sorted(columns, key=lambda name: kinds.index(name.partition(".")[0]))
    out = io.StringIO()
    writer = csv.DictWriter(out, ordered, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _read(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({error})") from None
    reader = csv.DictReader(io.StringIO(text), restval="")
    for row in reader:
        if None in row:
            raise DataError(f"{file}, line {reader.line_num}: more fields than columns")
        yield reader.line_num, row
