"""HTML representation of a model in notebooks."""

from __future__ import annotations

from collections.abc import Iterable

from ...base.html import picture, table
from ...train.epoch import Epoch
from ..hooks import Hooks
from .curves import curves_of, training_chart


def model_html(model: Hooks, epochs: Iterable[Epoch]) -> str:
    """Return a fitted model as HTML: training data, settings and learning curve."""
    provenance = model.provenance
    facts = [
        ("fitted on", provenance.dataset),
        ("ratings", f"{provenance.n_ratings:,}"),
        ("users", f"{model.n_users:,}"),
        ("items", f"{model.n_items:,}"),
        ("trained numbers", f"{model.n_parameters:,}"),
    ]
    best = getattr(model, "best_epoch", None)
    if best:
        facts.append(("epoch used", ", ".join(map(str, best)) if isinstance(best, list) else best))
    if model.interest is not None:
        facts.append(("lists by", f"interest, love {model.love:g}"))
    overview = table(["", ""], facts, caption=type(model).__name__)
    chart = training_chart(curves_of(epochs))
    return overview if chart is None else overview + picture(chart.file(), chart.summary)
