"""``matinee evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import UsageError
from .. import source as source_options
from ..numbers import parse_counts
from ..options import AllowOverlap, BootstrapSeed, Cutoffs, Given, Model, RelevantFrom
from ..output import note, print_json
from ..source import Json
from ..threads import Threads, use_threads


@source_options.reading_options(whole=False, without=("relevant",))
def evaluate(
    model: Model,
    *,
    test: str,
    given: Given = None,
    allow_overlap: AllowOverlap = False,
    update: bool = False,
    time_offset: Annotated[bool, typer.Option("--time-offset/--no-time-offset")] = True,
    lists: bool = False,
    k: Cutoffs = None,
    relevant: RelevantFrom = None,
    trec: Path | None = None,
    seed: BootstrapSeed = 0,
    threads: Threads = None,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Score a model and baselines on held-out ratings.

    If the model was trained on interactions, or the test data have no ratings, the lists are
    scored, as with --lists. A test set with ratings the model was trained on is refused.

    Args:
        test (SOURCE): Ratings to score on, as for 'data describe'; of a split (ml-100k/u1, or a
            folder with train and test parts) its test part.
        update: Score in the order of time, and add each rating to its person's history once it is
            scored; the score without updates is shown as 'frozen'.
        time_offset: If no test rating is earlier than those of training: add the time offset fitted
            in training; the score without it is shown as 'no_time_offset'.
        lists: Score the recommended lists instead of the predicted ratings: all items ranked,
            compared with lists of baselines (docs/lists.md).
        trec (DIR): Write the lists and the relevant items as TREC files, run.txt and qrels.txt;
            with --lists.
    """
    use_threads(threads)
    if update and lists:
        raise UsageError("--update scores predicted ratings; leave out --lists")
    cutoffs = parse_cutoffs(k)
    of_lists = {"--k": k, "--relevant": relevant, "--trec": trec}
    from ...models import load_model
    from ..parts import read_test
    from ..show.lists import lists_object, show_lists
    from ..show.scores import as_object, show_evaluation

    read = source_options.Reading(reading | {"allow_single": True}, None)

    loaded = load_model(model)
    ratings, histories = read_test(test, read, given=given)
    if not lists and not update and (ratings.implicit or not loaded.knows_ratings):
        which = ratings.name if ratings.implicit else f"the training data of {model}"
        note(f"matinee: {which}: interactions, without ratings to predict: scoring the lists")
        lists = True
    for name, value in of_lists.items():
        if value is not None and not lists:
            raise UsageError(f"{name} is about lists; add --lists")
    if lists:
        evaluation = loaded.evaluate_lists(
            ratings,
            k=cutoffs,
            relevant=relevant,
            histories=histories,
            allow_overlap=allow_overlap,
            seed=seed,
            trec=trec,
        )
        if json:
            print_json(lists_object(loaded, model, evaluation))
        else:
            show_lists(evaluation)
        return
    score = loaded.evaluate(
        ratings,
        histories=histories,
        update=update,
        time_offset=time_offset,
        allow_overlap=allow_overlap,
        seed=seed,
    )
    if json:
        print_json(as_object(loaded, model, score))
    else:
        show_evaluation(score)


def parse_cutoffs(text: str | None) -> tuple[int, ...]:
    """Return the list lengths of ``--k``: "10,20".

    Raises:
        UsageError: A value that is not a whole number of at least 1, or a repeated one.
    """
    from ...evaluate.ranking.tally import checked_cutoffs

    return checked_cutoffs(parse_counts("--k", text, "10,20") or (10, 20))
