"""A model for other systems: an ONNX graph, and its item vectors for a vector database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ..base.atomic import atomic_path
from ..data import Histories
from ..errors import MatineeError, UsageError
from ..nn import build_onnx
from .base import Recommender
from .networks.autoencoder import Autoencoder
from .support import item_vectors

_CHECKED = 64
"""People whose answers are compared before a graph is handed out."""
_AT_ONCE = 20_000


def export_onnx(model: Recommender, path: Path | str) -> float:
    """Write a model as an ONNX graph that folds people in, checked against the model.

    Inputs: ``items`` int64 (entries,), positions in the list of items that the graph's metadata
    ``item_ids`` names; ``ratings`` float32 (entries,); ``offsets`` int64 (people,), where each
    person's entries begin. Output: ``predictions`` float32 (people, items), of every item, in the
    same order. Nothing is barred: what was rated is for the caller to leave out.

    Args:
        model: An autoencoder with users as rows.
        path: The file.

    Returns:
        The largest difference from the model's own predictions in ONNX Runtime, in rating points.

    Raises:
        UsageError: Another kind of model, or ``onnx`` or ``onnxruntime`` is not installed.
        MatineeError: The graph does not give the model's answers, or cannot be written.
    """
    if not isinstance(model, Autoencoder) or not model.folds_in:
        raise UsageError(
            "only a single autoencoder with users as rows folds people in as one network; this is "
            f"{model.kind!r}{' with items as rows' if isinstance(model, Autoencoder) else ''}"
        )
    clip = (model.scale.low, model.scale.high) if model.clip else None
    graph = build_onnx(model.forward, clip=clip)
    for key, value in {
        "item_ids": "\n".join(map(str, model.item_ids.ids.tolist())),
        "scale": f"{model.scale.low:g} {model.scale.high:g}",
        "data": model.provenance.dataset,
    }.items():
        graph.metadata_props.add(key=key, value=value)
    content = graph.SerializeToString()
    far = _difference(model, content)
    if not far < 1e-3 * max(model.scale.high - model.scale.low, 1e-6):
        raise MatineeError(f"the ONNX graph is off by up to {far:g}; nothing was written")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return far


def _difference(model: Recommender, content: bytes) -> float:
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(
            "onnxruntime is not installed, so the graph cannot be checked; run: "
            "pip install 'matinee[onnx]'"
        ) from None
    rng = np.random.default_rng(0)
    most = min(model.n_items, 50)
    people = []
    for size in rng.integers(1, most + 1, _CHECKED):
        items = rng.choice(model.n_items, size, replace=False)
        people.append((items, rng.uniform(model.scale.low, model.scale.high, size)))
    who = Histories.build(people)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: npt.NDArray[Any] = session.run(None, feeds(who))[0]
    wanted = model.scores_coded(who)
    if model.clip:
        wanted = wanted.clip(model.scale.low, model.scale.high)
    return float(np.abs(found - wanted).max())


def feeds(histories: Histories) -> dict[str, npt.NDArray[Any]]:
    """People as the graph's inputs."""
    return {
        "items": histories.items.astype(np.int64),
        "ratings": histories.values,
        "offsets": histories.indptr[:-1],
    }


def export_items(model: Recommender, path: Path | str) -> int:
    """Write the item vectors as Parquet: item_id, title where known, bias, vector.

    A person's prediction of an item is ``hidden . vector + bias`` and a number of their own that
    moves no item past another: the best items are those of maximal inner product with the hidden
    layer and a 1, over the vector and the bias.

    Args:
        model: A model with item vectors.
        path: A ``.parquet`` file.

    Returns:
        The width of the vectors.

    Raises:
        UsageError: The model has no item vectors, or the file is not called ``.parquet``.
        MatineeError: The place cannot be written to.
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
            some = slice(first, first + _AT_ONCE)
            vectors = np.ascontiguousarray(space.vectors[some])
            n = len(vectors)
            columns: dict[str, npt.NDArray[Any]] = {
                "place": np.arange(n),
                "item_id": model.item_ids.ids[some],
                "bias": space.biases[some],
            }
            if model.item_table is not None:
                columns["title"] = model.item_table.titles[some]
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
        name = str(temporary).replace("'", "''")
        db.execute(f"COPY items TO '{name}' (FORMAT parquet, COMPRESSION zstd)")
    return width
