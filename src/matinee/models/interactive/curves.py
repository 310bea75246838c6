"""The curve of a training run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...charts.lines import Level, Lines, Series
from ...train.epoch import Epoch


def curves_of(epochs: Iterable[Epoch]) -> dict[str, list[dict[str, Any]]]:
    """Epochs of each network of a model, plain, by the network's name ("" for its own)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for epoch in epochs:
        found.setdefault(f"member {epoch.member}" if epoch.member else "", []).append(
            epoch.as_dict()
        )
    return found


def training_chart(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], bias_rmse: float | None = None
) -> Lines | None:
    """RMSE by epoch: of training, of the validation part, and of sets that were watched.

    Args:
        curves: Epochs by name of the network: see ``curves_of``.
        bias_rmse: RMSE of the bias model on the test ratings, drawn as a line.

    Returns:
        The chart; None where no network has two epochs.
    """
    series = []
    for name, epochs in curves.items():
        if len(epochs) < 2:
            continue
        xs = [float(epoch["epoch"]) for epoch in epochs]
        found = {"validation": [epoch["valid_rmse"] for epoch in epochs]}
        for watched in epochs[0]["watched"]:
            found[watched] = [epoch["watched"].get(watched) for epoch in epochs]
        if len(curves) == 1:
            found = {"training": [epoch["train_rmse"] for epoch in epochs], **found}
        for what, values in found.items():
            told = [(x, float(v)) for x, v in zip(xs, values, strict=True) if v is not None]
            if len(told) > 1:
                label = f"{name}, {what}" if name else what
                series.append(Series(label, [x for x, _ in told], [y for _, y in told]))
    if not series:
        return None
    return Lines(
        name="training",
        title="RMSE by epoch",
        note="Training is the mean over batches of the batch's RMSE while the weights move, with "
        "dropout if there is any, and over a teacher's answers as well as ratings if there is one: "
        "it may lie above the others or below. Epochs are chosen by validation.",
        summary="; ".join(f"{s.name} ends at {s.y[-1]:.4f}" for s in series),
        series=series,
        x_title="epoch",
        y_title="RMSE",
        levels=[] if bias_rmse is None else [Level(bias_rmse, "bias model, on the test ratings")],
    )
