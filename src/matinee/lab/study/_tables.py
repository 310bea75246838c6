"""Summaries, comparisons and verdicts as tables: for CSV files, papers and the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...base import markdown
from ...base.text import signed
from ...data import Table
from ...errors import UsageError, nearest
from ...evaluate import Difference, Estimate, adjust, paired
from .claims.judgement import Judgement
from .figures import FIGURES, Figure
from .results import Results
from .series import arms_of, label, same_runs, series
from .summary import ArmSummary, Summary, mean_of, number

_Row = dict[str, str | float]

_LAST: tuple[Figure, ...] = ("held_out_user_mean", "reference", "training", "batch_mean", "valid")


def summary_table(summary: Summary) -> Table:
    """Return a summary's numbers, one row per arm and data; NaN if missing, inf if diverged.

    Columns: "held_out" and the other figures are at the last epoch; "best_held_out" is at each
    run's best epoch, test-selected; "rmse" is of the model that is kept. "_low" and "_high" are
    the 95% interval over seeds; "difference" is "rmse" minus the base arm's, with its p value by
    Holm's correction.
    """
    return Table.of_rows([dict(_row(arm)) for arm in summary.arms], ("arm", "data"))


def _row(arm: ArmSummary) -> Iterable[tuple[str, str | float]]:
    yield from (("arm", arm.arm), ("data", arm.data))
    yield from (("seeds", len(arm.seeds)), ("diverged", arm.diverged))
    yield from _estimate("held_out", arm.last.get("held_out"))
    yield from (
        ("best_held_out", number(mean_of(arm.best))),
        ("best_epoch", number(arm.best_epoch)),
    )
    yield from _estimate("rmse", arm.rmse)
    yield from ((figure, number(mean_of(arm.last.get(figure)))) for figure in _LAST)
    yield ("bias_rmse", number(mean_of(arm.final.get("bias_rmse"))))
    known = arm.published
    yield ("published_train", number(known.train if known else None))
    yield ("published_test", number(known.test if known else None))
    yield from _difference(arm.difference)
    yield from (("epochs", arm.epochs), ("parameters", arm.parameters))
    yield from (("seconds", number(mean_of(arm.seconds))), ("peak_mib", arm.peak_mib))


def compare(
    results: Results, *, base: str = "", figure: Figure = "held_out", data: str = ""
) -> Table:
    """Return every arm against one of them, paired by seed.

    Args:
        results: The study's records.
        base: The arm compared with, as GROUP/ARM; by default the study's.
        figure: What is compared: the held-out RMSE of the model that is kept, or another figure at
            the last epoch.
        data: Name of the data; by default the study's first.

    Returns:
        "arm", its figure ("mean", "low", "high" over seeds), "difference" (below 0, it is better
        than the base arm), its interval and "p", corrected by Holm over the rows; "seeds".

    Raises:
        UsageError: No such arm or data, no base arm, or no arm has the figure.
    """
    name = _data(results, data)
    against = base or results.study.base
    names = [arm for arm in arms_of(results) if results.by_seed(arm, name)]
    if not against:
        raise UsageError(
            f"{results.study.name}: no base arm; name the arm to compare with (--base)"
        )
    if against not in names:
        raise UsageError(
            f"{results.study.name}: no runs of {against!r} on {name}{nearest(against, names)}"
        )
    known = {arm: series(results, arm, name, figure) for arm in names}
    ordered = [against, *(arm for arm in names if arm != against)]
    differences = adjust(
        [
            None if same_runs(results, arm, against, name) else paired(known[arm], known[against])
            for arm in ordered
        ]
    )
    rows: list[_Row] = [
        {
            "arm": arm,
            **dict(_estimate("mean", Estimate.of(list(known[arm].values())))),
            **dict(_difference(difference)),
            "seeds": difference.n if difference else len(known[arm]),
        }
        for arm, difference in zip(ordered, differences, strict=True)
        if known[arm]
    ]
    if not rows:
        raise UsageError(f"{results.study.name}: no run on {name} has the figure {figure!r}")
    return Table.of_rows(rows)


def claims_table(judgements: Iterable[Judgement]) -> Table:
    """Verdicts, one row per claim: id, claim, verdict, interval, p, seeds and the sentence."""
    return Table.of_rows(
        [
            {
                "id": j.claim.id,
                "claim": j.claim.text,
                "who": j.claim.who,
                "verdict": j.verdict,
                "estimate": number(j.estimate),
                "low": number(j.interval and j.interval.low),
                "high": number(j.interval and j.interval.high),
                "p": number(j.p),
                "seeds": j.seeds,
                "sentence": j.sentence,
            }
            for j in judgements
        ],
        ("id", "claim", "who", "verdict", "sentence"),
    )


def summary_markdown(summary: Summary) -> str:
    """Return the table for a reader, in Markdown: one per data, figures with their intervals."""
    parts = []
    for data in dict.fromkeys(arm.data for arm in summary.arms):
        arms = [arm for arm in summary.arms if arm.data == data]
        figures = [f for f in _LAST if any(f in arm.last for arm in arms)]
        against = f"Less {label(summary.base)} (p)" if summary.base else ""
        heads = [
            *("Arm", "Seeds", "Held-out RMSE", "Mean of each run's best epoch (test-selected)"),
            *(FIGURES[figure].heading for figure in figures),
            *("Published train / test", against, "Parameters", "Seconds"),
        ]
        rows = [
            [
                arm.label,
                str(len(arm.seeds)) + (f", {arm.diverged} diverged" if arm.diverged else ""),
                _spread(arm.rmse or arm.last.get("held_out")),
                f"{_short(arm.best)} at {arm.best_epoch:.0f}" if arm.best_epoch else "",
                *(_short(arm.last.get(figure)) for figure in figures),
                _published(arm),
                _gap(arm.difference),
                f"{arm.parameters:,}",
                _short(arm.seconds, 0),
            ]
            for arm in arms
        ]
        title = f"### {data}\n\n" if len(summary.study.data) > 1 else ""
        parts.append(title + _markdown(heads, rows))
    return "\n".join(parts)


def claims_markdown(judgements: Iterable[Judgement]) -> str:
    """Return the verdicts in Markdown, one row per claim."""
    rows = [[j.claim.id, j.claim.text, f"**{j.verdict}**", j.sentence] for j in judgements]
    return _markdown(["", "Claim", "Verdict", "Why"], rows)


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    used = [at for at, head in enumerate(heads) if any(row[at] for row in rows) or head == "Arm"]
    return markdown.table([heads[at] for at in used], [[row[at] for at in used] for row in rows])


def _data(results: Results, data: str) -> str:
    names = [d.name for d in results.study.data]
    if data and data not in names:
        raise UsageError(f"{results.study.name}: no data {data!r}{nearest(data, names)}")
    return data or names[0]


def _estimate(name: str, estimate: Estimate | None) -> Iterable[tuple[str, float]]:
    bounds = estimate.interval if estimate else None
    prefix = "" if name == "mean" else f"{name}_"
    yield (name, number(mean_of(estimate)))
    yield (f"{prefix}low", number(bounds and bounds.low))
    yield (f"{prefix}high", number(bounds and bounds.high))


def _difference(difference: Difference | None) -> Iterable[tuple[str, float]]:
    bounds = difference.interval if difference else None
    yield ("difference", difference.mean if difference else math.nan)
    yield ("difference_low", number(bounds and bounds.low))
    yield ("difference_high", number(bounds and bounds.high))
    yield ("p", number(difference.adjusted if difference else None))


def _short(estimate: Estimate | None, digits: int = 3) -> str:
    if estimate is None:
        return ""
    return "diverged" if math.isinf(estimate.mean) else f"{estimate.mean:,.{digits}f}"


def _spread(estimate: Estimate | None) -> str:
    """Mean and half the interval's width."""
    if estimate is None or estimate.interval is None:
        return _short(estimate)
    half = (estimate.interval.high - estimate.interval.low) / 2
    return f"{estimate.mean:.4f} ± {half:.4f}"


def _published(arm: ArmSummary) -> str:
    known = arm.published
    if known is None or (known.train is None and known.test is None):
        return ""
    return " / ".join("–" if v is None else f"{v:g}" for v in (known.train, known.test))


def _gap(difference: Difference | None) -> str:
    if difference is None:
        return ""
    if not math.isfinite(difference.mean):
        return "diverged"
    p = difference.adjusted
    text = signed(difference.mean)
    return text if p is None else f"{text} ({'<0.001' if p < 0.001 else f'{p:.3f}'})"
