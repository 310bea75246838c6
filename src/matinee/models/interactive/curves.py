"""Learning curves of a training run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...charts.lines import Level, Lines, Series
from ...train.epoch import Epoch


def curves_of(epochs: Iterable[Epoch]) -> dict[str, list[dict[str, Any]]]:
    """Return epoch metrics as dictionaries, by name of the network ("" if there is only one)."""
    curves: dict[str, list[dict[str, Any]]] = {}
    for epoch in epochs:
        curves.setdefault(f"member {epoch.member}" if epoch.member else "", []).append(
            epoch.as_dict()
        )
    return curves


def training_chart(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], bias_rmse: float | None = None
) -> Lines | None:
    """Chart the RMSE by epoch on training batches, validation part and watched sets.

    Args:
        curves: Epochs by name of the network: see ``curves_of``.
        bias_rmse: RMSE of the bias model on the test ratings, drawn as a line.

    Returns:
        The chart; None if no network has two epochs.
    """
    series = []
    for name, epochs in curves.items():
        if len(epochs) < 2:
            continue
        xs = [float(epoch["epoch"]) for epoch in epochs]
        by_label = {"validation": [epoch["valid_rmse"] for epoch in epochs]}
        for watched in epochs[0]["watched"]:
            by_label[watched] = [epoch["watched"].get(watched) for epoch in epochs]
        if len(curves) == 1:
            by_label = {"training": [epoch["train_rmse"] for epoch in epochs], **by_label}
        for part, values in by_label.items():
            points = [(x, float(v)) for x, v in zip(xs, values, strict=True) if v is not None]
            if len(points) > 1:
                label = f"{name}, {part}" if name else part
                series.append(Series(label, [x for x, _ in points], [y for _, y in points]))
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
