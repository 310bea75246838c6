"""Splits as files: Parquet parts and a manifest of the source, rule and seed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..._version import __version__
from ...base.arrays import Array
from ...base.atomic import atomic_path
from ...errors import UsageError
from ..description import iso_time
from ..fingerprints import fingerprint
from ..ratings import Ratings, Scale
from ..side.columns import SideColumns
from ..table import Table, write_tables
from .rule import Division, Moment, seconds
from .rules import rule_of
from .split import kfold, split_parts

_FORMAT = "matinee-split"
_MANIFEST = "manifest.json"
_WEIGHTS = "weights"
"""Key of the manifest for a column ``weight`` beside the ratings."""
_NONE = "none"
_CHUNK = 1 << 21

KFOLD = "kfold"
"""Besides the rules, what ``split_files`` can write: every fold of ``kfold``."""


def split_files(
    ratings: Ratings,
    out: Path | str,
    holdout: float | None = None,
    seed: int = 0,
    by: str = "random",
    *,
    valid: float | None = None,
    given: float | None = None,
    k: int | None = None,
    at: Moment | tuple[Moment, Moment] | None = None,
) -> dict[str, Any]:
    """Split ratings, write the parts as parquet, all or none, and return the manifest written.

    The folder holds ``train.parquet`` and ``test.parquet``, with ``valid`` also
    ``valid.parquet``; by a rule that holds out people also ``given.parquet`` (what the model is
    given of the people in ``test.parquet``) and ``valid_given.parquet``; by ``kfold`` the first
    two in ``fold-1``, ``fold-2`` and so on. Columns:
    ``user_id, item_id, rating`` (for interactions ``weight``, or nothing) and, if known,
    ``timestamp`` in seconds since 1970-01-01 UTC and ``weight``, that of a rating.
    Titles are written to ``items.parquet``, columns of the users to ``people.parquet``.
    ``manifest.json`` has the protocol, the seed, the
    counts and content fingerprints of the source and the parts, whether ratings have weights (which
    ``named_split`` then reads), and the version of Matinee.

    Args:
        ratings: The ratings to split.
        out: The folder to write. An earlier split there is replaced; anything else is refused.
        holdout: As in ``split``, 0.2 by default; of the users with ``people``. Refused with ``at``
            and by ``kfold``.
        seed: Seed of the draw.
        by: Name of a rule in ``RULES``, or ``kfold``.
        valid: What to validate by, as in ``split_three``.
        given: By a rule that holds out people, and only there: the share of each held-out user's
            ratings used as history, 0.8 by default.
        k: By ``kfold``, and only there: the number of folds, 5 by default.
        at: The moment or the two moments to cut at by ``time``.

    Raises:
        UsageError: No such rule, incompatible options, or ``out`` is in use.
        DataError: The ratings cannot be split so.
        MatineeError: The place cannot be written to.
    """
    protocol: dict[str, Any] = {"by": by, "seed": seed}
    if by == KFOLD:
        if any(option is not None for option in (holdout, valid, at, given)):
            raise UsageError(
                f"a split by {by!r} has folds of one size, no validation part, no people held out "
                "and cuts at no moment: leave out --holdout, --valid, --given and --at"
            )
        k = 5 if k is None else k
        return write_split(_folds(ratings, k, seed), out, ratings, protocol | {"k": k})
    rule = rule_of(by)
    if k is not None:
        raise UsageError(f"a split by {rule.name!r} has no folds: leave out --folds")
    if given is not None and not rule.holds_out_people:
        raise UsageError(f"a split by {rule.name!r} holds out no people: leave out --given")
    protocol["by"] = rule.name
    moments = at if isinstance(at, tuple) else () if at is None else (at,)
    if len(moments) == 1 and valid is not None:
        raise UsageError("a validation part with --at needs two moments: --at FROM --at TO")
    if moments and (holdout is not None or valid is not None):
        raise UsageError("--at cuts at moments, not by share: leave out --holdout and --valid")
    holdout = Division.holdout if holdout is None else holdout
    given = Division.given if given is None else given
    parts = split_parts(ratings, by, holdout, valid or 0.0, seed, given=given, at=moments)
    if moments:
        cuts = [seconds(moment) for moment in moments]
        protocol |= {"at": cuts if isinstance(at, tuple) else cuts[0]}
    else:
        protocol |= {"holdout": holdout} | ({} if valid is None else {"valid": valid})
        protocol |= {"given": given} if rule.holds_out_people else {}
    return write_split(parts.named().items(), out, ratings, protocol)


def write_split(
    parts: Iterable[tuple[str, Ratings]],
    out: Path | str,
    source: Ratings,
    protocol: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the parts of a split and the manifest returned, all at once or not at all.

    Args:
        parts: Pairs of a part's name ("train", "fold-1/train") and its ratings, one at a time.
        out: The folder to write, as in ``split_files``.
        source: The source of the parts.
        protocol: How, for the manifest.
    """
    folder = Path(out).expanduser()
    refuse_others(folder, _FORMAT, "no split")
    manifest: dict[str, Any] = {
        "format": _FORMAT,
        "version": 1,
        "matinee": __version__,
        "protocol": dict(protocol),
        "source": {
            "name": source.name,
            "low": source.scale.low,
            "high": source.scale.high,
            **_counts(source),
            **({} if source.weights is None else {_WEIGHTS: True}),
            "notes": list(source.notes),
        },
        "people": [] if source.user_columns is None else list(source.user_columns.columns),
        "parts": {},
    }
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        for name, rows in parts:
            file = temporary / f"{name}.parquet"
            write_tables(_chunks(rows), file)
            items = file.with_name("items.parquet")
            if source.item_table is not None and not items.exists():
                _items(source).write(items)
            people = file.with_name("people.parquet")
            if source.user_columns is not None and not people.exists():
                columns = _written(source.user_columns)
                Table({"user_id": source.user_ids.ids, **columns}).write(people)
            manifest["parts"][name] = {"file": f"{name}.parquet", **_counts(rows)}
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        (temporary / _MANIFEST).write_text(text + "\n", encoding="utf-8")
    return manifest


def weighted_reading(folder: Path, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``load`` for the parts in a folder, with the weights that the split wrote.

    Args:
        folder: The folder, which need not be of ``split_files``.
        reading: Arguments of ``load``; a column of weights that they name is kept, and "none"
            leaves out the weights that the split wrote.
    """
    folder = folder.resolve()  # "." has neither a name nor a folder above
    manifest, above = _manifest_of(folder), _manifest_of(folder.parent)
    if f"{folder.name}/train" in above.get("parts", ()):  # a fold
        manifest = above
    source = manifest.get("source")
    weighted = isinstance(source, dict) and source.get(_WEIGHTS) is True
    if not weighted:
        return dict(reading)
    arguments = {"weight": "weight", **reading}
    return arguments if arguments["weight"] != _NONE else {**arguments, "weight": None}


def _manifest_of(folder: Path, format_: str = _FORMAT) -> dict[str, Any]:
    """Return the manifest of a folder; empty if there is none of that format."""
    try:
        stored = json.loads((folder / _MANIFEST).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) and stored.get("format") == format_ else {}


def _folds(ratings: Ratings, k: int, seed: int) -> Iterator[tuple[str, Ratings]]:
    for number, (train, test) in enumerate(kfold(ratings, k, seed), start=1):
        yield f"fold-{number}/train", train
        yield f"fold-{number}/test", test


def _counts(ratings: Ratings) -> dict[str, Any]:
    users, items = ratings.sides
    counts: dict[str, Any] = {
        "ratings": len(ratings),
        "users": users,
        "items": items,
        "fingerprint": fingerprint(ratings),
    }
    if ratings.times is not None:
        counts["first"] = iso_time(int(ratings.times.min()))
        counts["last"] = iso_time(int(ratings.times.max()))
    return counts


def _chunks(ratings: Ratings) -> Iterator[Table]:
    for start in range(0, len(ratings), _CHUNK):
        part = slice(start, start + _CHUNK)
        columns = {
            "user_id": ratings.user_ids.decode(ratings.users[part]),
            "item_id": ratings.item_ids.decode(ratings.items[part]),
        }
        # Interactions that all weigh the same have no column of weights.
        if not ratings.implicit:
            columns["rating"] = ratings.values[part]
        if ratings.weights is not None:
            columns["weight"] = ratings.weights[part]
        elif ratings.implicit and ratings.scale != Scale(1.0, 1.0):
            columns["weight"] = ratings.values[part]
        if ratings.times is not None:
            columns["timestamp"] = ratings.times[part]
        yield Table(columns)


def _items(ratings: Ratings) -> Table:
    assert ratings.item_table is not None
    columns = {"item_id": ratings.item_ids.ids, "title": ratings.item_table.titles}
    if ratings.item_table.genres is not None:
        genres = ["|".join(names) for names in ratings.item_table.genres]
        columns["genres"] = np.array(genres, dtype=object)
    if ratings.item_table.columns is not None:
        columns |= _written(ratings.item_table.columns)
    return Table(columns)


def _written(side: SideColumns) -> dict[str, Array]:
    """Columns as they are written: several labels of a row in one text."""
    written = {}
    for name, values in side.columns.items():
        texts = ["|".join(value) if isinstance(value, tuple) else value for value in values]
        written[name] = np.array(texts, dtype=values.dtype)
    return written


def refuse_others(folder: Path, format_: str, content: str) -> None:
    """Refuse to replace a folder whose manifest does not have a given format.

    Raises:
        UsageError: The folder has other content.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if _manifest_of(folder, format_):
        return
    raise UsageError(f"{folder}: exists and is {content}; name another place, or remove it first")
