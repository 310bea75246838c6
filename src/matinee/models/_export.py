"""Export of a model as an ONNX graph, and of its item vectors for a vector database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from ..base.arrays import Array
from ..base.atomic import atomic_path
from ..data import Histories
from ..data.values.ids import literal
from ..errors import MatineeError, UsageError, install_command
from ..nn import build_onnx
from .base import Recommender
from .networks.autoencoder import Autoencoder
from .support import item_vectors

_CHECKED = 64
"""Users whose predictions are compared with the model's before a graph is written."""
_AT_ONCE = 20_000


def export_onnx(model: Recommender, path: Path | str) -> float:
    """Write a model as an ONNX graph that predicts from histories, verified against the model.

    Inputs: ``items`` int64 (entries,), positions in the item list of the graph's metadata:
    ``item_ids``, one id per line, or ``item_ids_json``, a JSON list, if an id contains a line end;
    ``ratings`` float32 (entries,); ``offsets`` int64 (people,), where each person's entries begin.
    Output: ``predictions`` float32 (people, items) of all items in that order. Rated items are not
    excluded.

    Args:
        model: An autoencoder with users as rows.
        path: The file.

    Returns:
        The largest difference from the model's own predictions in ONNX Runtime, in rating points.

    Raises:
        UsageError: Another kind of model, or ``onnx`` or ``onnxruntime`` is not installed.
        MatineeError: The graph's predictions differ from the model's, or it cannot be written.
    """
    if not isinstance(model, Autoencoder) or not model.folds_in:
        raise UsageError(
            "only a single autoencoder with users as rows folds people in as one network; this is "
            f"{model.kind!r}{' with items as rows' if isinstance(model, Autoencoder) else ''}"
        )
    clip = (model.scale.low, model.scale.high) if model.clip else None
    nobody = Histories.build([([], [])])
    graph = build_onnx(model.forward, clip=clip, empty=model.scores_coded(nobody)[0])
    ids = [str(item) for item in model.item_ids.ids.tolist()]
    lines = not any("\n" in item for item in ids)
    for key, value in {
        "item_ids" if lines else "item_ids_json": "\n".join(ids) if lines else json.dumps(ids),
        "scale": f"{model.scale.low:g} {model.scale.high:g}",
        "data": model.provenance.dataset,
    }.items():
        graph.metadata_props.add(key=key, value=value)
    content = graph.SerializeToString()
    difference = _difference(model, content)
    if not difference < 1e-3 * max(model.scale.high - model.scale.low, 1e-6):
        raise MatineeError(f"the ONNX graph is off by up to {difference:g}; nothing was written")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return difference


def _difference(model: Recommender, content: bytes) -> float:
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(
            "onnxruntime is not installed, so the graph cannot be checked; run: "
            + install_command("onnx")
        ) from None
    rng = np.random.default_rng(0)
    longest = min(model.n_items, 50)
    people: list[Any] = [([], [])]
    for size in rng.integers(1, longest + 1, _CHECKED):
        items = rng.choice(model.n_items, size, replace=False)
        people.append((items, rng.uniform(model.scale.low, model.scale.high, size)))
    samples = Histories.build(people)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    scores: Array = session.run(None, feeds(samples))[0]
    expected = model.scores_coded(samples)
    if model.clip:
        expected = expected.clip(model.scale.low, model.scale.high)
    return float(np.abs(scores - expected).max())


def feeds(histories: Histories) -> dict[str, Array]:
    """Return histories as the graph's inputs."""
    return {
        "items": histories.items.astype(np.int64),
        "ratings": histories.values,
        "offsets": histories.indptr[:-1],
    }


def export_items(model: Recommender, path: Path | str) -> int:
    """Write the item vectors as Parquet: item_id, title if known, bias, vector.

    A prediction is ``hidden . vector + bias`` plus a user bias that does not affect the order: the
    best items maximise the inner product of (hidden, 1) and (vector, bias).

    Args:
        model: A model with item vectors.
        path: A ``.parquet`` file.

    Returns:
        The width of the vectors.

    Raises:
        UsageError: The model has no item vectors, or the file is not called ``.parquet``.
        MatineeError: The file cannot be written.
    """
    if Path(path).suffix.lower() != ".parquet":
        raise UsageError(f"{path}: name it .parquet")
    space = item_vectors(model)
    if space is None:
        raise UsageError(f"a model of kind {model.kind!r} has no item vectors")
    width = int(space.vectors.shape[1])
    titled = model.item_table is not None
    with atomic_path(path) as temporary, duckdb.connect() as db:
        kind = "BIGINT" if model.item_ids.numeric else "VARCHAR"
        title = "title VARCHAR, " if titled else ""
        db.execute(f"CREATE TABLE items (item_id {kind}, {title}bias FLOAT, vector FLOAT[{width}])")
        for first in range(0, model.n_items, _AT_ONCE):
            batch = slice(first, first + _AT_ONCE)
            vectors = np.ascontiguousarray(space.vectors[batch])
            n = len(vectors)
            columns: dict[str, Array] = {
                "place": np.arange(n),
                "item_id": model.item_ids.ids[batch],
                "bias": space.biases[batch],
            }
            if model.item_table is not None:
                columns["title"] = model.item_table.titles[batch]
            flat = {
                "place": np.repeat(np.arange(n), width),
                "at": np.tile(np.arange(width, dtype=np.int32), n),
                "value": vectors.ravel(),
            }
            db.register("named", columns)
            db.register("flat", flat)
            db.execute(
                f"INSERT INTO items SELECT item_id, {'title, ' if titled else ''}bias, "
                f'vector::FLOAT[{width}] FROM named JOIN (SELECT place, list(value ORDER BY "at") '
                "AS vector FROM flat GROUP BY place) USING (place) ORDER BY place"
            )
        db.execute(f"COPY items TO {literal(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
    return width
