"""A leaderboard for a reader: cells, and pages of Markdown."""

from __future__ import annotations

import math

from ...base import markdown
from ...base.text import seconds_text, signed
from ...data.splits.rule import size_text
from ...data.splits.rules import rule_of
from ...evaluate import interval_text
from ..study.study import Data
from .table import OTHERS, BoardSection, Leaderboard, Row, yes_or_no

COLUMNS = (
    "model",
    "RMSE",
    "95% over seeds",
    "95% over people",
    *(metric.label for metric in OTHERS),
    "gain over bias",
    "gain, 95% over people",
    "by the bias model",
    "RMSE on the rest",
    "train s",
    "threads",
    "parameters",
    "new people",
    "test-selected",
    "settings",
    "source",
)

LEGEND = (
    "RMSE and MAE are over all held-out ratings, means over the number of seeds in brackets. The "
    "interval over seeds (Student's t) is the variation from retraining, and from the split where "
    "each seed has its own; the interval over people (bootstrap), that from drawing other people. "
    "Gain over bias is the RMSE of the mean plus two biases on the same ratings less that of the "
    "model, paired by seed, and in its interval over people paired by person. By the bias model: "
    "the share of the ratings that it predicted, as the person or the item was unknown to the "
    "model; RMSE on the rest is over those that the model predicted. Train s is the wall time of "
    "all of `fit`; for a model of another library, of its own `fit` alone. New people: whether the "
    "model predicts for people it was not trained on from their ratings, without retraining. "
    "Test-selected: whether the epoch or the settings were chosen by the test ratings; ? if that "
    "is not declared; where the settings were chosen on other parts of the same data, the shares "
    "of this test part that the choice was trained on (read) and scored by. Settings: their hash, "
    "and the day since which a preset has had them. Published figures are on splits that others "
    "made in the same way, not on these."
)


def cells(row: Row) -> list[str]:
    """Return the cells of a row under ``COLUMNS``; empty if there is no value."""
    if row.status == "not installed":
        return [row.model, *[""] * (len(COLUMNS) - 2), row.note]
    published = row.status == "published"
    source = f"published: {row.source}, {row.year}" if published else row.source
    return [
        row.model,
        _rmse(row),
        interval_text(row.interval),
        interval_text(row.people),
        *(_figure(row.metrics.get(metric.name)) for metric in OTHERS),
        _gain(row),
        interval_text(row.gain_people),
        "" if row.by_bias is None else f"{row.by_bias:.1%}",
        _figure(row.known_rmse),
        _seconds(row.seconds),
        "" if row.threads is None else str(row.threads),
        "" if row.parameters is None else f"{row.parameters:,}",
        yes_or_no(row.folds_in),
        _selected(row),
        f"{row.settings} {row.frozen}".strip(),
        "; ".join(part for part in (source, row.note) if part),
    ]


def heading(section: BoardSection) -> str:
    """Data, and how it is divided."""
    sizes = ""
    if section.train_ratings:
        sizes = f"; {section.train_ratings:,} ratings train, {section.test_ratings:,} are held out"
    return f"{section.data.name}: {_protocol(section.data)}{sizes}"


def waiting(section: BoardSection) -> str:
    """Return the models that have not run, as a sentence; or ""."""
    return f"Not run yet: {', '.join(section.waiting)}." if section.waiting else ""


def leaderboard_markdown(board: Leaderboard) -> str:
    """Return the leaderboard as Markdown: a table for each data."""
    parts = []
    if board.quick:
        parts.append(
            "*The quick version: it shows that everything runs; its numbers are no score.*"
        )
    # A metric that is newer than all the runs has no column.
    absent = {m.label for m in OTHERS if not any(m.name in row.metrics for row in board.rows)}
    columns = [at for at, name in enumerate(COLUMNS) if name not in absent]
    for section in board.sections:
        if not section.rows:
            continue
        name, _, rule = heading(section).partition(": ")
        heads, *rows = ([row[at] for at in columns] for row in (COLUMNS, *map(cells, section.rows)))
        text = f"### {name}\n\n{rule[:1].upper()}{rule[1:]}.\n\n{markdown.table(heads, rows)}"
        parts.append(f"{text}\n{waiting(section)}".rstrip())
    machine = f" Measured on {'; '.join(board.machine)}." if board.machine else ""
    return "\n\n".join([*parts, LEGEND + machine]) + "\n"


def _protocol(data: Data) -> str:
    source = "generated" if data.synthetic else data.source
    if not data.holdout:
        return f"{source}, its own split"
    held = f"{size_text(data.holdout)} held out, {rule_of(data.by).summary}"
    if data.validation:
        held += f", and the {100 * data.validation:g}% before unused"
    return f"{source}, {held}{', each seed anew' if data.resplit else ''}"


def _rmse(row: Row) -> str:
    if row.rmse is None:
        return ""
    if math.isinf(row.rmse):
        return "diverged"
    seeds = f" ({row.seeds})" if row.seeds else ""
    digits = f"{row.rmse:.4f}" if row.status == "measured" else f"{row.rmse:g}"
    return digits + seeds


def _figure(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.4f}"


def _selected(row: Row) -> str:
    if row.test_selected is None and row.read is not None and row.scored is not None:
        return f"{row.read:.0%} read, {row.scored:.0%} scored"
    return yes_or_no(row.test_selected) or "?"


def _gain(row: Row) -> str:
    if row.gain is None:
        return ""
    if row.gain_interval is None:
        return signed(row.gain)
    half = (row.gain_interval.high - row.gain_interval.low) / 2
    return f"{signed(row.gain)} ± {half:.4f}"


def _seconds(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else seconds_text(value)
