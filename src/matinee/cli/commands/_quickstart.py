"""``matinee quickstart``: the whole of it on one screen."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import MatineeError, UnknownIdError, UsageError
from ..options import Seed
from ..output import command_line, downloading, echo, note, print_json, print_table
from ..source import Json
from ..threads import Threads, use_threads

if TYPE_CHECKING:
    from ...data import Ratings, Table
    from ...synth import Synthetic
    from ..fit import Fitted

NAME = "ml-1m"
_HOLDOUT = 0.1
_PATIENCE = 10.0
"""Seconds after which an unresponsive network counts as absent."""

_TASTE = {
    "Star Wars: Episode IV - A New Hope (1977)": 5.0,
    "Matrix, The (1999)": 5.0,
    "Alien (1979)": 5.0,
    "Blade Runner (1982)": 4.0,
    "Titanic (1997)": 2.0,
}
"""Five ratings by a new user."""


def quickstart(
    *,
    out: Path = Path("models/quickstart"),
    small: bool = False,
    epochs: int | None = None,
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Get data, train, score on held-out ratings, and recommend: all in one command.

    Uses MovieLens-1M if it is on this machine or can be downloaded, else generated ratings.

    Args:
        out (DIR): Model folder.
        small: Use a synthetic catalogue of 60,000 ratings; takes seconds.
        epochs: Epochs, instead of the preset's.
        seed: Seed of everything.
    """
    use_threads(threads)
    from ...data import load, split
    from ...models import preset
    from ...synth import synthesize
    from ..fit import fit
    from ..parts import Parts

    world: Synthetic | None = None
    if small or not find_data():
        shape = (600, 900, 60_000) if small else (6040, 3706, 1_000_209)
        note("matinee: generating ratings: a synthetic catalogue whose films are invented")
        world = synthesize(*shape, seed=seed)
        ratings = world.ratings
    else:
        ratings = load(NAME)
    train, test = split(ratings, _HOLDOUT, seed)
    parts = Parts(train, test, None, {"by": "random", "holdout": _HOLDOUT, "seed": seed})
    settings = preset("default")
    if epochs is not None:
        settings = settings.replace({"train.epochs": epochs}, "--epochs")
    note(f"matinee: training on {len(train):,} ratings, {len(test):,} are held out")
    fitted = fit(settings, parts, out, preset="default", seed=seed, quiet=json)
    assert fitted is not None  # this is the only process
    taste = _taste(fitted.model, ratings)
    table = fitted.model.recommend([{item: value for item, _, value in taste}], k=10)
    if json:
        rated = [{"item_id": i, "title": t, "rating": v} for i, t, v in taste]
        extra: dict[str, Any] = {"floor": world.floor_of(test)} if world else {}
        print_json(fitted.as_object(rated=rated, recommendations=list(table.rows()), **extra))
        return
    _show(fitted, ratings, world, test, taste, table)


def find_data() -> bool:
    """Return whether MovieLens-1M is here, after trying to download it if need be."""
    from ...data import CATALOGUE, data_home, get, locate

    try:
        path = locate(NAME)
    except MatineeError as error:
        note(f"matinee: {error}")
        return False
    if path is not None:
        note(f"matinee: {NAME} found at {path}")
        return True
    dataset = CATALOGUE[NAME]
    note(f"matinee: {NAME} is not in {data_home()}; looking for {dataset.url}")
    trouble = unreachable(dataset.url, _PATIENCE)
    if trouble:
        note(f"matinee: no download: {trouble}")
        return False
    note(f"matinee: downloading. {dataset.licence}")
    try:
        with downloading(NAME) as report:
            get(NAME, progress=report, timeout=_PATIENCE)
    except MatineeError as error:
        note(f"matinee: no download: {error}")
        return False
    return True


def unreachable(url: str, patience: float) -> str | None:
    """Return why a server cannot be reached within some seconds; None if it responds."""
    errors: list[str | None] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            with urllib.request.build_opener().open(request, timeout=patience):
                errors.append(None)
        except urllib.error.HTTPError as error:
            errors.append(f"the server answered {error.code} {error.reason}")
        except Exception as error:
            errors.append(f"cannot reach the server ({getattr(error, 'reason', error)})")

    # Looking up a name may block for far longer than any timeout of a socket.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return errors[0] if errors else f"no answer within {patience:g} s"


def _taste(model: Any, ratings: Ratings) -> list[tuple[Any, str, float]]:
    """Five ratings as (item id, title, rating): of well-known films, or of the most rated ones."""
    import numpy as np

    from ...recommend import TitleIndex

    titles = TitleIndex(model.item_ids, model.item_table)
    values = list(_TASTE.values())
    try:
        items = [titles.find(title) for title in _TASTE]
    except (UnknownIdError, UsageError):
        most = np.argsort(-np.bincount(ratings.items, minlength=ratings.n_items), kind="stable")
        known = model.item_ids.encode(ratings.item_ids.ids) >= 0
        items = ratings.item_ids.decode(most[known[most]][: len(values)]).tolist()
    return [(i, titles.title(i), v) for i, v in zip(items, values, strict=True)]


def _show(
    fitted: Fitted,
    ratings: Ratings,
    world: Synthetic | None,
    test: Ratings,
    taste: Sequence[tuple[Any, str, float]],
    table: Table,
) -> None:
    from ..show.lists import show_briefly
    from ..show.scores import show_score

    model, score, folder = fitted.model, fitted.score, fitted.folder
    assert score is not None
    echo(
        f"{ratings.name}: trained on {model.provenance.n_ratings:,} ratings by {model.n_users:,} "
        f"users of {model.n_items:,} items in {model.record['training']['train_seconds']:.0f} s\n"
        f"Scored on {score.n_test:,} held-out ratings, drawn at random with seed "
        f"{model.provenance.seed}:\n"
    )
    show_score(score)
    if fitted.lists is not None:
        echo()
        show_briefly(fitted.lists)
    if world is not None:
        echo(f"The best reachable RMSE on these generated ratings is {world.floor_of(test):.4f}.")
    echo("\nSomeone new, who is in no way part of the data, rates five films:\n")
    print_table(["rating", "title"], [(f"{value:g}", title) for _, title, value in taste])
    echo("\nThe model recommends, with no retraining:\n")
    print_table(
        ["rank", "predicted", "title"],
        [
            (row["rank"], f"{row.get('predicted', row['score']):.2f}", row["title"])
            for row in table.rows()
        ],
    )
    rates = [word for _, title, value in taste[:2] for word in ("--rate", f"{title}={value:g}")]
    echo(f"\nThe model is in {folder}. To go on:")
    source = NAME
    if world is not None:
        source = "ratings"
        size = world.world.config
        options = [f"--{name}={getattr(size, name)}" for name in ("users", "items", "ratings")]
        echo("  " + command_line(["data", "synth", source, *options]))
    for args in (
        ["recommend", folder, *rates],
        ["recommend", folder, "--user", model.user_ids.ids[0]],
        ["recommend", folder, "--all-users", "--out", "top10.parquet"],
        ["serve", folder],
        ["report", folder],
        ["data", "describe", source],
        ["train", source, "--holdout", "0.1", "--set", "hidden=300", "--out", "models/mine"],
        ["presets"],
        ["--help"],
    ):
        echo("  " + command_line(args))
