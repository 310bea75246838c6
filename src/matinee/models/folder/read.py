"""Reads a model folder; ``manifest`` describes its format."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
from safetensors.numpy import load_file

from ...base.arrays import Arrays, Float32, without_prefix
from ...base.atomic import is_utf8
from ...baseline.bias import BiasModel
from ...baseline.preference import Preference
from ...baseline.time_offset import TimeOffset
from ...baseline.variance import PredictiveVariance
from ...data import Scale
from ...errors import ModelFileError, UsageError
from ...evaluate import PairSet
from ...recommend.interest import ChoiceRate, restore_interest
from ..base import Recommender
from ..registry import kind_named
from ._checks import (
    check_arrays,
    check_histories,
    check_interest,
    check_vocabulary,
    check_weights,
)
from ._tables import HISTORIES, ITEMS, USERS, read_histories, read_items, read_users
from .manifest import (
    ADVICE,
    MANIFEST,
    WEIGHTS,
    check_contents,
    check_sizes,
    identity,
    read_manifest,
)
from .provenance import Provenance

_ATTEMPTS = 10
"""Number of times that a folder is read that is replaced meanwhile."""


def load_model(path: Path | str, *, light: bool = False) -> Recommender:
    """Read a model folder written by ``Recommender.save``. Checksums of all files are verified.

    Args:
        path: The folder.
        light: Deprecated, without effect: no loaded model imports torch before it is fitted.

    Returns:
        A model of the class that was saved, ready to serve.

    Raises:
        ModelFileError: Not a model folder, a missing, truncated or altered file, or a newer schema.
    """
    return load_identified(path)[0]


def load_identified(path: Path | str) -> tuple[Recommender, dict[str, Any], str]:
    """Return the model of a folder, its manifest and its ``identity``.

    All three are of the same model if the folder is replaced meanwhile: it is then read again.

    Raises:
        ModelFileError: As ``load_model``.
    """
    folder = Path(path).expanduser()
    if not is_utf8(folder):
        raise ModelFileError(f"{folder}: the name of the folder is not UTF-8; rename it")
    for _ in range(_ATTEMPTS):
        before = _stamp(folder)
        try:
            manifest = read_manifest(folder)
            model, name = _load(folder, manifest), identity(folder)
        except (ModelFileError, OSError):
            if _stamp(folder) == before:
                raise
        else:
            if before is not None and _stamp(folder) == before:
                return model, manifest, name
    raise ModelFileError(f"{folder}: was replaced whenever it was read; try again")


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Return what distinguishes a folder's manifest from that of one in its place, if any."""
    try:
        status = (folder / MANIFEST).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _load(folder: Path, manifest: dict[str, Any]) -> Recommender:
    """Read and check the files that a manifest describes."""
    check_sizes(folder, manifest)
    with ThreadPoolExecutor(1) as pool:  # checksums take as long as everything else
        checked = pool.submit(check_contents, folder, manifest)
        try:
            return _restored(folder, manifest)
        except ModelFileError:
            raise
        except Exception as error:  # any error caused by an invalid field
            raise ModelFileError(
                f"{folder}: the files are whole but do not make a model: {error!r}. {ADVICE}"
            ) from error
        finally:  # if a file is altered, that is the error to report
            checked.result()


def _restored(folder: Path, manifest: dict[str, Any]) -> Recommender:
    arrays, data, bias = load_file(folder / WEIGHTS), manifest["data"], manifest["bias"]
    check_arrays(folder / WEIGHTS, arrays, data["n_users"], data["n_items"])
    model = _of_kind(folder, manifest, arrays)
    _read_tables(model, folder, manifest, arrays.get("histories.weights"))
    model.clip = manifest["clip"]
    model.scale = Scale(*manifest["scale"])
    model.bias = BiasModel(
        float(bias["mean"]),
        arrays["bias.item_bias"],
        arrays["bias.item_mean"],
        float(bias["user_reg"]),
    )
    if manifest["spread"] is not None:
        model.predictive_variance = PredictiveVariance.restore(
            model.scale, without_prefix("spread.", arrays), manifest["spread"]
        )
    if manifest["time_offset"] is not None:
        model.time_offset = TimeOffset(**manifest["time_offset"])
        model.last_rated = arrays.get("histories.last")
    _read_lists(model, folder, manifest, arrays)
    model.provenance = Provenance(
        data["name"],
        data["n_ratings"],
        data["fingerprint"],
        manifest["seed"],
        tuple(data["notes"]),
        data.get("newest"),
    )
    model.record = {
        **{key: manifest[key] for key in ("split", "metrics") if manifest[key] is not None},
        **manifest["record"],
    }
    model._item_counts = arrays.get("items.counts")
    hashes = arrays.get("leak_guard.hashes")
    model._guard = None if hashes is None else PairSet(hashes)
    model._ready = True
    return model


def _of_kind(folder: Path, manifest: dict[str, Any], arrays: Arrays) -> Recommender:
    """Restore the part of a model that its kind defines."""
    try:
        cls: type[Recommender] = kind_named(manifest["kind"]).load()
    except UsageError as error:
        raise ModelFileError(f"{folder}: {error}") from None
    try:
        return cls._restore(without_prefix("model.", arrays), manifest["config"])
    except UsageError as error:
        raise ModelFileError(
            f"{folder}: {error}; if the option is of an earlier version, load the model with "
            f"Matinee {manifest['versions']['matinee']}, which wrote it, or train it again"
        ) from None


def _read_lists(model: Recommender, folder: Path, manifest: dict[str, Any], arrays: Arrays) -> None:
    """Set the scorer of interest and the calibration of lists, if saved."""
    model.love, model.floor = manifest["love"], manifest["floor"]
    if manifest["interest"] is not None:
        of_interest = without_prefix("interest.", arrays)
        counts = of_interest.pop("counts")
        model.interest = restore_interest(counts, of_interest, manifest["interest"])
        check_interest(folder / WEIGHTS, model.interest, model.n_items)
    if manifest["preference"] is not None:
        model.preference = Preference(**manifest["preference"], link=model.link)
    if manifest["choice_rate"] is not None:
        model.choice_rate = ChoiceRate(**manifest["choice_rate"])


def _read_tables(
    model: Recommender, folder: Path, manifest: dict[str, Any], weights: Float32 | None
) -> None:
    """Set the model's ids, titles and, if saved, histories, whose weights these are."""
    n_users, n_items = manifest["data"]["n_users"], manifest["data"]["n_items"]
    has_histories = HISTORIES in manifest["files"]
    with duckdb.connect() as db:
        model.user_ids = read_users(db, folder)
        model.item_ids, model.item_table = read_items(db, folder)
        check_vocabulary(folder / USERS, model.user_ids, n_users)
        check_vocabulary(folder / ITEMS, model.item_ids, n_items, model.item_table)
        histories = read_histories(db, folder, n_users) if has_histories else None
    if histories is not None:
        check_histories(folder / HISTORIES, histories, n_users, n_items)
        check_weights(folder / WEIGHTS, weights, histories)
        histories = replace(histories, weights=weights)
    model.histories = histories
