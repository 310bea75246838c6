"""``matinee data``: find, fetch, look at, split and check ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...data.splits.rules import RULES, choices
from ...errors import DataError, UsageError, nearest
from .. import source as source_options
from ..options import Seed
from ..output import answer, command_line, downloading, echo, note, print_json, progress
from ..show.data import show_audit, show_description, show_list, show_split
from ..show.reading import reading as show_reading
from ..source import Json

app = typer.Typer(
    no_args_is_help=True, help="Find, fetch, describe, split, audit and generate ratings."
)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the named data sets, and where they are on this machine."""
    from ...data import DATASETS, NAMED_SPLITS, data_home, registered

    added = registered()
    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "ratings": entry.ratings,
            "users": entry.users,
            "items": entry.items,
            "scale": entry.scale,
            "download_mb": entry.download_mb,
            "path": _path_text(entry.name),
            "description": entry.description,
            "licence": entry.licence,
            "url": entry.url or None,
        }
        for entry in DATASETS.values()
    ]
    own_rows: list[dict[str, Any]] = [
        {"name": name, "path": str(path), "exists": path.exists()}
        for name, path in added.items()
        if name not in DATASETS
    ]
    if json:
        splits = [
            {"name": entry.name, "description": entry.description}
            for entry in NAMED_SPLITS.values()
        ]
        print_json({"home": data_home(), "catalogue": rows, "added": own_rows, "splits": splits})
        return
    show_list(rows, own_rows)
    echo(f"\nnamed splits: {', '.join(NAMED_SPLITS)}\ndata home: {data_home()}")


@app.command("add")
def add_(name: str, path: Path, *, json: Json = False) -> None:
    """Give a name to data already on disk; it stays where it is.

    Args:
        name: The name: letters, digits, '.', '_', '-'.
        path: A ratings file, a zip, or a folder.
    """
    from ...data import add

    target = add(name, path)
    answer(json, {"name": name, "path": target}, f"{name} now means {target}")


@app.command("forget")
def forget_(name: str, *, json: Json = False) -> None:
    """Remove a name registered by 'data add'; the data stays where it is.

    Args:
        name: A name registered by 'data add'.
    """
    from ...data import forget

    path = forget(name)
    answer(json, {"name": name, "path": path}, f"{name} no longer means {path}")


@app.command("get")
def get_(name: str, *, url: str | None = None, force: bool = False, json: Json = False) -> None:
    """Download a data set, resuming an interrupted download.

    Args:
        name: A name of the catalogue, as in 'data list'.
        url: Download from a mirror; the MD5 must be the same.
        force: Download again and replace the data.
    """
    from ...data import CATALOGUE, get, locate

    existing = None if force else locate(name)
    if existing is None and name in CATALOGUE:
        note(f"{CATALOGUE[name].name}: {CATALOGUE[name].licence}")
    with downloading(name) as report:
        path = get(name, url=url, force=force, progress=report)
    answer(
        json,
        {"name": name, "path": path, "downloaded": existing is None},
        f"{name} is {'already ' if existing else ''}at {path}",
    )


@app.command("describe")
@source_options.reading_options()
def describe_(
    ctx: typer.Context,
    source: source_options.Source = None,
    *,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Describe a table of ratings, and the resources that training on it needs."""
    from ...data import describe

    ratings = source_options.read(
        source,
        **reading,
        notes=False,  # They are part of the description.
    )
    description = describe(ratings)
    if json:
        print_json(description.as_dict())
    else:
        show_description(description)
        if ratings.n_users > 1 and ratings.n_items > 1 and source != "-":
            more = ["--preset", "lists"] if ratings.implicit else []
            same = (ctx.obj or ["data", "describe", source])[2:]  # the source and how it is read
            echo("\nnext:\n  " + command_line(["train", *same, "--holdout", "0.1", *more]))


@app.command("split")
@source_options.reading_options()
def split_(
    source: str | None = None,
    *,
    out: Path,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="PROTOCOL",
            help=f"What to hold out, by default the first: {choices()}; or kfold.",
        ),
    ] = None,
    holdout: float | None = None,
    valid: float | None = None,
    given: float | None = None,
    folds: int | None = None,
    at: list[str] | None = None,
    seed: Seed = 0,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Split ratings into Parquet files for training and test, with a manifest.

    Args:
        source: As for 'data describe'; or a named split (ml-100k/u1), to write it as files.
        out (DIR): Folder to write.
        holdout: Size of the test part: a share below 1, by default 0.2, or a whole number (of
            ratings of each user with --by user and last, of people with --by people).
        valid: Size of the validation part, as for --holdout.
        given: By people: the share of a held-out person's ratings used as history, by default 0.8.
        folds: By kfold: the number of folds, by default 5.
        at (MOMENT): By time: the moment at which the test part begins (seconds since 1970, or
            2001-12-31), instead of a share; if given twice, the validation and the test part begin
            there.
        seed: Seed of the draw.
    """
    from ...data import NAMED_SPLITS, join, named_parts, split_files, write_split

    if source is not None and source in NAMED_SPLITS:
        if at or any(option is not None for option in (by, holdout, valid, given, folds)):
            raise UsageError(
                f"{source}: divided already; leave out --by, --holdout, --valid, --given, --folds "
                "and --at, or name the data set instead"
            )
        for name in source_options.set_options(reading):
            raise UsageError(
                f"--{name.replace('_', '-')}: {source} is a split that is read in one way; "
                "leave it out, or name the data set instead"
            )
        with show_reading() as report:
            read = named_parts(source, seed=seed, report=report)
        parts = {name: part for name, part in read._asdict().items() if part is not None}
        manifest = write_split(
            parts.items(),
            out,
            join(*parts.values(), name=source),
            {"by": "name", "name": source, "seed": seed},
        )
    else:
        ratings = source_options.read(source, **reading)
        moments = tuple(at or ())
        if len(moments) > 2:
            raise UsageError("--at may be given once or twice")
        manifest = split_files(
            ratings,
            out,
            holdout,
            seed,
            by or next(iter(RULES)),
            valid=valid,
            given=given,
            k=folds,
            at=moments[0] if len(moments) == 1 else (moments[0], moments[1]) if moments else None,
        )
    if json:
        print_json({"out": out, **manifest})
        return
    show_split(manifest)
    if manifest["people"]:
        note(f"matinee: people.parquet holds columns of people: {', '.join(manifest['people'])}")
    echo(f"\nwritten to {out}, with manifest.json")


@app.command("audit")
@source_options.reading_options(whole=False)
def audit_(
    train: str,
    test: str | None = None,
    *,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Check a test set against the training set; exit with 1 if it is contaminated.

    Args:
        train: The training set, as for 'data describe'; or a split (ml-100k/u1, or a folder with
            train and test), to audit its parts.
        test: The test set.
    """
    from ...data import audit, audit_files
    from ..parts import read_split

    leaked = 0
    if test is None:
        parts = read_split(train, source_options.Reading(reading, train))
        assert parts.test is not None
        audit_result = audit(parts.train, parts.test)
        # The histories of held-out users must not contain the scored ratings.
        leaked = 0 if parts.given is None else audit(parts.given, parts.test).overlap
    else:
        audit_result = audit_files(train, test, **source_options.load_arguments(reading))
    if json:
        plain = audit_result.as_dict() | {"given_overlap": leaked}
        print_json(plain | {"contaminated": audit_result.contaminated or leaked > 0})
    else:
        show_audit(audit_result)
        if leaked:
            echo(f"\n{leaked:,} test pairs are among the ratings given of the test users.")
    if audit_result.contaminated or leaked:
        raise typer.Exit(1)


@app.command("synth")
def synth_(
    out: Path,
    *,
    shape: str = "ml-1m",
    users: int | None = None,
    items: int | None = None,
    ratings: int | None = None,
    seed: Seed = 0,
    settings: Annotated[list[str] | None, typer.Option("--set")] = None,
    json: Json = False,
) -> None:
    """Generate realistic ratings whose lowest reachable RMSE is known, and print it.

    Args:
        out: Folder to write.
        shape (NAME): Size to start from: small, ml-100k, ml-1m or netflix.
        users: Number of users.
        items: Number of items.
        ratings: Number of ratings.
        seed: Same seed and options, same ratings.
        settings (KEY=VALUE): Another option of the generator: low, high, step, noise, rank, skew,
            ...
    """
    from ...config import parse_settings
    from ...synth import SynthConfig, write_synthetic

    if shape not in _SHAPES:
        raise UsageError(
            f"--shape {shape!r}: must be {', '.join(_SHAPES)}{nearest(shape, _SHAPES)}"
        )
    sizes = {"users": users, "items": items, "ratings": ratings}
    size = dict(zip(sizes, _SHAPES[shape], strict=True))
    size |= {key: value for key, value in sizes.items() if value is not None}
    options = SynthConfig.make(
        {**size, "seed": seed, **parse_settings(settings or [])}, "synth"
    ).model_dump()
    with progress("ratings") as bar:
        task = bar.add_task("generating", total=options["ratings"])
        manifest = write_synthetic(out, report=lambda done: bar.advance(task, done), **options)
    if json:
        print_json({"out": out, **manifest.model_dump(mode="json")})
        return
    config = manifest.config
    echo(
        f"{config.ratings:,} ratings by {config.users:,} users of {config.items:,} items "
        f"written to {out}\n"
        f"RMSE of their mean ({manifest.mean:.4f}): {manifest.std:.4f}\n"
        f"best reachable RMSE: {manifest.floor:.4f}"
    )


_SHAPES = {
    "small": (600, 900, 60_000),
    "ml-100k": (943, 1682, 100_000),
    "ml-1m": (6040, 3706, 1_000_209),
    "netflix": (480_189, 17_770, 100_480_507),
}


def _path_text(name: str) -> str | None:
    from ...data import locate

    try:
        path = locate(name)
    except DataError:
        return "(gone)"
    return None if path is None else str(path)
