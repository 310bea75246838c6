"""``matinee export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..options import Model
from ..output import answer
from ..source import Json


def export(
    model: Model, *, onnx: Path | None = None, items: Path | None = None, json: Json = False
) -> None:
    """Take a model elsewhere: to ONNX, or its items to a vector database.

    Args:
        onnx (FILE): Write an ONNX graph that predicts by fold-in, checked in ONNX Runtime.
        items (FILE.parquet): Write item vectors and biases, for a vector database.
    """
    if onnx is None and items is None:
        raise UsageError("say what to write: --onnx FILE, --items FILE.parquet, or both")
    from ...models import export_items, export_onnx, load_model

    loaded = load_model(model)
    written: dict[str, Any] = {"model": loaded.kind, "folder": model}
    lines = []
    if onnx is not None:
        difference = export_onnx(loaded, onnx)
        written |= {"onnx": onnx, "difference": difference}
        lines.append(f"{onnx}: written; in ONNX Runtime it differs by at most {difference:.1e}")
    if items is not None:
        width = export_items(loaded, items)
        written |= {"items": items, "n_items": loaded.n_items, "width": width}
        lines.append(f"{items}: {loaded.n_items:,} items, vectors of {width}")
    answer(json, written, "\n".join(lines))
