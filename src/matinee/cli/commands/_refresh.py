"""``matinee refresh``: train a served model on feedback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ...errors import UsageError
from ..numbers import parse_weights
from ..options import Seed
from ..output import answer, echo, print_json
from ..source import Json
from ..threads import Threads, use_threads
from ._feedback import opened_store

if TYPE_CHECKING:
    from ...evaluate import Interval

REFUSED = 3
"""Exit code if the new model was worse and the one in service stays."""


def refresh(
    model: Path,
    *,
    feedback: str | None = None,
    days: float = 7.0,
    anew: bool = False,
    margin: float = 0.002,
    list_margin: float = 0.01,
    weight: list[str] | None = None,
    items: Path | None = None,
    rollback: bool = False,
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Train a served model on feedback, and swap it if the new one is not worse.

    Both are scored on the feedback of the newest days: predicted ratings, each added to its
    person's history once it is scored, and lists by the items that people liked. Exit code 0:
    swapped, or too little feedback yet; 3: the new model was worse, and the one in service stays.

    Args:
        model: The model folder in service.
        feedback (STORE): Where feedback is kept: sqlite:PATH, or postgresql://HOST/DATABASE.
        days (DAYS): Evaluate on the feedback of this many newest days.
        anew: Retrain on everything, instead of updating.
        margin: Largest allowed increase in RMSE of the new model.
        list_margin: Largest allowed decrease in nDCG@10 of the new model, if not significant.
        weight (KIND=WEIGHT): Weight of a kind of feedback (rating, like, dislike) in training, 1 by
            default; repeatable.
        items (FILE): Titles and genres of items that feedback adds to the model.
        rollback: Restore the former model, and do nothing else.
        seed: Seed of training and of the interval.
    """
    use_threads(threads)
    from ...serve.refresh import refresh as run, rollback as back

    if rollback:
        back(model)
        answer(json, {"decision": "rolled back"}, f"the former model is back in {model}")
        return
    if feedback is None:
        raise UsageError("name the store with --feedback, or put the former model back: --rollback")
    with opened_store(feedback) as store:
        done = run(
            model,
            store,
            days=days,
            anew=anew,
            margin=margin,
            list_margin=list_margin,
            weights=parse_weights(weight or ()),
            items=items,
            seed=seed,
        )
    if json:
        print_json(done.as_dict())
    else:
        echo(f"{done.n_new:,} new ratings, {done.n_scored:,} of them to judge by")
        for label, gain in (("RMSE", done.gain), ("nDCG@10", done.lists)):
            if gain is not None:
                echo(f"{label} {gain.before:.4f} in service, {gain.after:.4f} of the new model")
                echo(f"gain {gain.gain:.4f}{_within(gain.interval)}")
        echo(
            f"waiting: all of them are of the newest {days:g} days, which leaves none to train on; "
            "wait, or lower --days"
            if done.lacks_earlier
            else {
                "swapped": f"swapped: {model} is the new model",
                "kept": f"kept: the new model may be worse ({', '.join(done.because)})",
                "waiting": "waiting: too little feedback to judge by",
            }[done.decision]
        )
    if done.decision == "kept":
        raise typer.Exit(REFUSED)


def _within(interval: Interval | None) -> str:
    from ...evaluate import interval_text

    return "" if interval is None else f" (95% interval {interval_text(interval)})"
