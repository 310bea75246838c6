"""``matinee report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError
from .. import source as source_options
from ..options import AllowOverlap, BootstrapSeed, Given, Model
from ..output import answer, command_line, note
from ..source import Json
from ..threads import Threads, use_threads

if TYPE_CHECKING:
    from ...data import Ratings


@source_options.reading_options(whole=False)
def report(
    model: Model,
    *,
    test: str | None = None,
    given: Given = None,
    out: Path | None = None,
    allow_overlap: AllowOverlap = False,
    seed: BootstrapSeed = 0,
    threads: Threads = None,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Write a model's report: one self-contained HTML file.

    It has training curves, scores with baselines, metrics of the lists (also by love), predicted
    against actual ratings, errors by activity of the user and popularity of the item, residuals,
    the items with the largest errors, and nearest neighbours of items.

    Args:
        test (SOURCE): Ratings to score on, as for 'evaluate'; by default those that 'train' kept
            apart, found again where they were.
        out (FILE): The page; by default MODEL-report.html, beside the model folder.
    """
    use_threads(threads)
    from ...lab.report import write_model_report
    from ...models import load_model
    from ..parts import find_test, read_test

    read = source_options.Reading(reading | {"allow_single": True}, None)

    loaded = load_model(model)
    ratings: Ratings | None = None
    histories: Ratings | None = None
    if test is not None:
        ratings, histories = read_test(test, read, given=given)
    else:
        try:
            parts = find_test(loaded.record, loaded.provenance.fingerprint, read)
        except DataError as error:
            if "no such file" not in str(error):
                raise  # they are there, and not what they were
            parts = None
            note(f"matinee: {error}")
        if parts is not None:
            ratings, histories = parts if given is None else (parts[0], read(given))
    if ratings is None:
        note(
            "matinee: the test ratings of this model are not at hand, so the page has the scores "
            "that its folder has, if any; name some with --test"
        )
    elif ratings.implicit:
        note(
            f"matinee: {ratings.name} holds interactions, which have no RMSE: the page scores the "
            "lists"
        )
    page = write_model_report(
        loaded,
        ratings,
        out or model.resolve().with_name(f"{model.resolve().name}-report.html"),
        histories=histories,
        allow_overlap=allow_overlap,
        seed=seed,
    )
    answer(
        json,
        {"report": page, "test": None if ratings is None else ratings.name},
        f"report: {page}\n\nnext:\n  {command_line(['serve', model])}",
    )
