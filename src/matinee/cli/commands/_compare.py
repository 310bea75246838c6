"""``matinee compare``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...errors import UsageError
from .. import source as source_options
from ..options import AllowOverlap, BootstrapSeed, Cutoffs, Given, RelevantFrom
from ..output import echo, print_json, print_table
from ..source import Json
from ..threads import Threads, use_threads
from ._evaluate import parse_cutoffs


@source_options.reading_options(whole=False, without=("relevant",))
def compare(
    first: Path,
    second: Path,
    *,
    test: str | None = None,
    feedback: str | None = None,
    days: float | None = None,
    given: Given = None,
    k: Cutoffs = None,
    relevant: RelevantFrom = None,
    out: Path | None = None,
    allow_overlap: AllowOverlap = False,
    seed: BootstrapSeed = 0,
    threads: Threads = None,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Compare two models on the same held-out ratings: RMSE, lists, and lists side by side.

    Differences are SECOND minus FIRST with a 95% interval, paired over people. With --feedback the
    models are compared by what people accepted from their lists, with an interval that is
    valid at any time (a confidence sequence).

    Args:
        first: A model folder.
        second: Another one.
        test (SOURCE): Ratings to score both on, as for 'evaluate'.
        feedback (STORE): Instead of --test: compare by the items that people accepted from both
            lists, served side by side (serve FIRST --beside SECOND --feedback STORE).
        days (DAYS): With --feedback: a person counts after this many days from their first list, by
            default 7.
        out (HTML): Write the comparison as one page.
    """
    use_threads(threads)
    if (test is None) == (feedback is None):
        raise UsageError("give either ratings to score on (--test) or a store (--feedback)")
    if feedback is not None:
        for name, value in {"--given": given, "--k": k, "--relevant": relevant}.items():
            if value is not None:
                raise UsageError(f"{name} is about ratings to score on; give them with --test")
        _online(first, second, feedback, 7.0 if days is None else days, out, json)
        return
    if days is not None:
        raise UsageError("--days is about feedback; name its store with --feedback")
    assert test is not None
    cutoffs = parse_cutoffs(k)
    from ...lab.comparison import compare as compare_models, folder_names
    from ...lab.report import comparison_sheets, example_sheets, write_comparison
    from ...models import load_model
    from ..parts import read_test

    read = source_options.Reading(reading | {"allow_single": True}, None)
    ratings, histories = read_test(test, read, given=given)
    comparison = compare_models(
        load_model(first),
        load_model(second),
        ratings,
        k=cutoffs,
        relevant=relevant,
        histories=histories,
        allow_overlap=allow_overlap,
        seed=seed,
    )
    names = folder_names(first, second)
    if out is not None:
        write_comparison(comparison, names, out)
    if json:
        print_json({"models": [str(first), str(second)], "page": out, **comparison.as_dict()})
        return
    sheets = [*comparison_sheets(comparison, names), *example_sheets(comparison, names)]
    _show(sheets, {*comparison.first.notes, *comparison.second.notes}, out)


def _online(
    first: Path, second: Path, feedback: str, days: float, out: Path | None, json: bool
) -> None:
    from ...lab.online import compare_online
    from ...lab.report import online_sheets, write_online
    from ._feedback import opened_store

    with opened_store(feedback) as store:
        comparison = compare_online(first, second, store, days=days)
    if out is not None:
        write_online(comparison, out)
    if json:
        print_json({"page": out, **comparison.as_dict()})
        return
    _show(online_sheets(comparison), (), out)


def _show(sheets: Iterable[Any], notes: Iterable[str], page: Path | None) -> None:
    for sheet in sheets:
        print_table(sheet.columns, sheet.rows, sheet.caption)
        echo()
    for text in sorted(notes):
        echo(text)
    if page is not None:
        echo(f"page: {page}")
