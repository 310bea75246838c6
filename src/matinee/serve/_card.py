"""The model card: the model, its training data and its limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.text import split_year
from ..evaluate import metrics_of
from ..models import Recommender
from ._catalogue import Catalogue
from ._schema import MAX_K, MAX_LIST, MAX_WHY
from ._settings import ServeSettings


def card(
    model: Recommender, manifest: dict[str, Any], catalogue: Catalogue, settings: ServeSettings
) -> dict[str, Any]:
    """Return the response of ``GET /v1/model``."""
    config, record = manifest["config"], manifest["record"]
    options = config.get("settings") or {}
    years = catalogue.years[~np.isnan(catalogue.years)]
    genres, _ = catalogue.groups()
    titles = () if model.item_table is None else model.item_table.titles
    dated = sum(split_year(title)[1] is not None for title in titles)  # as titles of films are
    return {
        "kind": model.kind,
        "description": options.get("description") or "",
        "scale": {"low": model.scale.low, "high": model.scale.high, "step": step(model)},
        "data": manifest["data"],
        "split": manifest["split"],
        "metrics": manifest["metrics"],
        "scores": scores(manifest["metrics"] or {}),
        "training": record.get("training"),
        "epochs": config.get("epochs") or [],
        "settings": options,
        "seed": manifest["seed"],
        "versions": manifest["versions"],
        "has": {
            "titles": model.item_table is not None,
            "genres": bool(genres),
            "years": len(years) > 0,
            "users": settings.users and model.histories is not None,
            "vectors": catalogue.unit is not None,
            "std": model.predictive_variance is not None,
            "counts": catalogue.counts is not None,
            "ratings": model.knows_ratings,
        },
        "lists": {
            "dial": not model.ranks_by_rating and model.preference is not None,
            "love": model.love,
        },
        "things": settings.things or ("films" if dated > model.n_items / 2 else "items"),
        "genres": [{"name": name, "n_items": len(codes)} for name, codes in genres],
        "years": {"first": int(years.min()), "last": int(years.max())} if len(years) else None,
        "limits": {
            "max_ratings": settings.max_ratings,
            "max_k": MAX_K,
            "max_list": MAX_LIST,
            "max_why": MAX_WHY,
            "max_body_bytes": settings.max_body,
        },
        "caveats": caveats(model, manifest, catalogue),
    }


def scores(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """The saved rating metrics with labels and 95% intervals, in the order of the registry."""
    return [
        {
            "name": metric.name,
            "label": metric.label,
            "value": metrics[metric.name],
            "interval": metrics.get(f"{metric.name}_interval"),
        }
        for metric in metrics_of("rating")
        if metrics.get(metric.name) is not None
    ]


def held_out_rmse(manifest: dict[str, Any]) -> float | None:
    """Return the RMSE that was saved with the model; None without one."""
    rmse = (manifest["metrics"] or {}).get("rmse")
    return float(rmse) if isinstance(rmse, int | float) else None


def step(model: Recommender) -> float | None:
    """Return the step between rating levels, if there is one and the model has histories."""
    if model.histories is None:
        return None
    values = np.unique(model.histories.values)
    if not 2 <= len(values) <= 101:
        return None
    smallest = float(np.diff(values).min())
    steps = (values - model.scale.low) / smallest
    return round(smallest, 6) if np.allclose(steps, np.rint(steps), atol=1e-3) else None


def caveats(model: Recommender, manifest: dict[str, Any], catalogue: Catalogue) -> list[str]:
    """Limits of the model, as sentences."""
    data = manifest["data"]
    if model.knows_ratings:
        learned = (
            "It was trained on ratings of items that people chose: it predicts the rating, not "
            "whether somebody would watch."
        )
    else:
        learned = (
            "It was trained on what people chose, without ratings: it predicts a choice, not "
            "whether somebody would like it."
        )
    rmse, ndcg = held_out_rmse(manifest), (model.record.get("lists") or {}).get("ndcg@10")
    if rmse is not None:
        # Only a split that holds out people has a share of their ratings that is given.
        split = manifest["split"]
        trained_on = "was not" if isinstance(split, dict) and "given" in split else "was"
        scored = (
            f"On held-out ratings it is off by {rmse:.2f} rating points (root mean square), "
            f"measured on people it {trained_on} trained on; for people with few ratings expect "
            "more."
        )
    elif isinstance(ndcg, int | float):
        scored = f"On held-out interactions its lists of 10 have an nDCG of {ndcg:.3f}."
    else:
        held_out = "ratings" if model.knows_ratings else "interactions"
        scored = f"It has no score on held-out {held_out}: run matinee evaluate."
    notes = [
        scored,
        f"It can only predict the {data['n_items']:,} items it was trained on; newer items are "
        "unknown to it.",
        learned,
        "It fits the people of its data; for others it may be wrong in ways its scores hide.",
    ]
    if catalogue.counts is not None:
        few = int((catalogue.counts < 10).sum())
        if few:
            notes.append(
                f"{few:,} of the items have fewer than 10 "
                f"{'ratings' if model.knows_ratings else 'interactions'}; predictions for them are "
                "little more than guesses."
            )
    return notes
