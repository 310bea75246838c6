"""``matinee evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import source as source_options
from ..output import print_json
from ..source import Json
from ..threads import Threads, use_threads

if TYPE_CHECKING:
    pass

Model = Annotated[Path, typer.Argument(help="A model folder, as 'train' writes it.")]


def evaluate(
    model: Model,
    test: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="Ratings to score on, as for 'data describe'; of a split (ml-100k/u1, or a "
            "folder with train and test parts) its test part.",
        ),
    ],
    given: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="What the test users are known to have rated, where they were not trained on "
            "(user hold-out); by default what they rated in training.",
            show_default=False,
        ),
    ] = None,
    allow_overlap: Annotated[
        bool,
        typer.Option(
            "--allow-overlap",
            help="Score even though the model has seen some of the test ratings, with a warning.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap behind the intervals.")] = 0,
    threads: Threads = None,
    user: source_options.User = None,
    item: source_options.Item = None,
    rating: source_options.Rating = None,
    time: source_options.Time = None,
    scale: source_options.ScaleOption = None,
    repeats: source_options.Repeats = "last",
    json: Json = False,
) -> None:
    """Score a model on held-out ratings, beside the baselines.

    A test set with ratings the model was trained on is refused.
    """
    use_threads(threads)
    from ...models import load_model
    from ..parts import read_test
    from ..show.scores import as_object, show_evaluation

    columns = {"user": user, "item": item, "rating": rating, "time": time, "scale": scale}
    read = source_options.Reading(columns, {"repeats": repeats, "allow_single": True})

    found = load_model(model)
    ratings, histories = read_test(test, read, mapped=read.mapped, given=given)
    score = found.evaluate(ratings, histories=histories, allow_overlap=allow_overlap, seed=seed)
    if json:
        print_json(as_object(found, model, score))
    else:
        show_evaluation(score)
