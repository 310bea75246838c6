"""``matinee train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...data.splits.rules import choices
from ...errors import UsageError
from .. import source as source_options
from ..options import Changes, Preset, Seed
from ..output import command_line, echo, note, print_json
from ..processes import in_turn, threads_each
from ..source import Json
from ..threads import Device, Threads, use_threads

if TYPE_CHECKING:
    from ...data import Ratings
    from ...models import Settings
    from ...train import ProcessGroup
    from ..fit import Fitted
    from ..parts import Parts


@source_options.reading_options()
def train(
    ctx: typer.Context,
    source: str | None = None,
    *,
    test: str | None = None,
    holdout: float | None = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="PROTOCOL", help=f"How to hold out, by default the first: {choices()}."
        ),
    ] = None,
    given: float | None = None,
    base: Annotated[Path | None, typer.Option("--from")] = None,
    preset: Preset = "default",
    settings: Changes = None,
    epochs: int | None = None,
    seed: Seed = 0,
    out: Path | None = None,
    resume: bool = False,
    watch: bool = False,
    shard: bool = False,
    shard_tables: bool | None = None,
    threads: Threads = None,
    device: Device = "auto",
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Train a model, score it on held-out ratings, and save it.

    Without --test or --holdout it trains on everything, without a score.

    Several processes train together with torchrun -m matinee train (docs/distributed.md).

    Args:
        source: As for 'data describe'; or a split (ml-100k/u1, or a folder with train and test
            parts), to train on its train part and score on its test part.
        test (SOURCE): Ratings to score on. Those also in SOURCE are left out of training.
        holdout: Hold out ratings to score on: a share below 1, or a whole number.
        given: By people: the share of a held-out person's ratings used as history; 0.8 by default.
        base (MODEL): Update this model with SOURCE instead of training on it alone: new ratings,
            people and items. Its settings are used; --epochs are those of the update.
        epochs: Largest number of epochs; by default that of the preset.
        seed: Seed of the split and of training.
        out (DIR): Model folder; by default models/DATASET-PRESET.
        resume: Continue the interrupted run in the model folder.
        watch: Score the test part after each epoch, for the curve in --json.
        shard: Under torchrun, each process reads and keeps the ratings of some people only
            (docs/distributed.md). For one network without a teacher, and with --test rather than
            --holdout.
        shard_tables: With --shard, each process also holds and updates only some columns (hidden
            units) of the network's first and last layer, for all items. By default where these
            layers would take more than a quarter of the memory.
    """
    use_threads(threads_each(threads))
    from ...config import parse_settings
    from ...models import preset as find_preset
    from ...train import ProcessGroup
    from ..fit import default_folder, fit
    from ..parts import read_parts, read_shard

    changes = parse_settings(settings or [])
    if base is not None:
        preset, options = _settings_of(base, changes, preset, out)
    else:
        start = find_preset(preset)
        options = start.replace(changes, "--set")
        if options.kind != start.kind:
            preset = options.kind  # what the model, its folder and its report are called
    if epochs is not None and base is None:
        options = options.replace({"train.epochs": epochs}, "--epochs")

    read = source_options.Reading(reading | {"allow_single": base is not None}, source)
    with ProcessGroup.join() as group:
        if base is not None and not group.alone:
            raise UsageError("--from updates a model in one process; start it without torchrun")
        division: dict[str, Any]
        division = {"test": test, "holdout": holdout, "by": by, "seed": seed, "given": given}
        if shard:
            from ...models.networks.sharded import check_shardable

            check_shardable(options, tables=bool(shard_tables))
            _check_shard(
                {
                    "--from": base,
                    "--holdout": holdout,
                    "--by": by,
                    "--given": given,
                    "--watch": watch,
                }
            )
            parts = read_shard(source, read, group, test=test)
        else:
            if shard_tables:
                raise UsageError("--shard-tables divides the tables too; add --shard")
            parts = in_turn(group, lambda: read_parts(source, read, **division))
        if watch:
            _check_watched(parts)
        folder = out or default_folder(parts.train.name, preset)
        if not json:
            note(_beginning(parts, preset if base is None else f"{base} further", group))
        if _lacks_columns(parts.train, options):
            note(
                "matinee: columns = true, and the data has none to read: --people and --items name "
                "tables of them (networks read those of items alone)"
            )
        fitted = fit(
            options,
            parts,
            folder,
            preset=preset,
            seed=seed,
            command=ctx.obj or ["train"],
            device=device,
            resume=resume,
            watch=watch,
            quiet=json,
            group=group,
            base=base,
            epochs=epochs,
            shard_tables=shard_tables if shard else None,
        )
    if fitted is None:  # the first process has it
        return
    if json:
        print_json(fitted.as_object())
    else:
        _show(fitted, parts)


def _check_shard(whole: dict[str, Any]) -> None:
    """Refuse options, by name, that need all ratings in each process."""
    for name, value in whole.items():
        if value:
            raise UsageError(
                f"{name} needs all ratings in each process, and --shard gives each a part; score "
                "on a part that 'data split' has written, by --test"
            )


def _check_watched(parts: Parts) -> None:
    if parts.test is None:
        raise UsageError("--watch scores a test part; add --test or --holdout")
    if parts.test.implicit:
        raise UsageError("--watch measures the RMSE of each epoch; interactions have none")
    if parts.given is not None:
        raise UsageError(
            "--watch scores users of the training part, and the test part has none of them"
        )


def _settings_of(
    base: Path, changes: dict[str, Any], preset: str, out: Path | None
) -> tuple[str, Settings]:
    """Return what a model that is to be updated was trained with."""
    from ...models import Trainable, load_model

    if changes or preset != "default":
        option = "--set" if changes else "--preset"
        raise UsageError(f"{option}: the settings are those of {base}; leave it out, or --from")
    if out is None:
        raise UsageError(f"--from needs --out DIR for the updated model; {base} will do")
    model = load_model(base)
    if not isinstance(model, Trainable):
        raise UsageError(f"{base}: a model of kind {model.kind} is not trained by this command")
    return model.record.get("training", {}).get("preset", preset), model.settings


def _lacks_columns(train: Ratings, options: Settings) -> bool:
    """Return whether the settings ask for all columns, and there is none."""
    asking = {name for name, section in options if getattr(section, "columns", False) is True}
    table = train.item_table
    sides = [None if table is None else table.side]
    sides += [train.user_columns] if "bayesian" in asking else []
    return bool(asking) and not any(side is not None and side.columns for side in sides)


def _beginning(parts: Parts, preset: str, group: ProcessGroup) -> str:
    together = "" if group.alone else f", in {group.size} processes"
    return f"matinee: training {preset} on {parts.size}{together}"


def _show(fitted: Fitted, parts: Parts) -> None:
    from ..show.lists import show_briefly
    from ..show.scores import show_score

    model, score, folder = fitted.model, fitted.score, fitted.folder
    training = model.record["training"]
    run, best = training["epochs_run"], training["best_epoch"]
    several = isinstance(best, list)
    best_text = ", ".join(map(str, best)) if several else best
    chosen_by = f" (chosen by validation: {best_text})" if model.n_valid else ""
    members = f"{len(best)} members, " if several else ""
    config = training["config"]
    asked = config["train"]["epochs"] if config["kind"] == "autoencoder" and not several else run
    stopped = f" of {asked}" if run < asked else ""
    # No epochs: a closed form.
    epochs = f" {members}{run}{stopped} epoch{'s' * (asked != 1)}{chosen_by}" if run else ""
    for text in fitted.notes:
        note(f"matinee: {text}")
    echo(f"trained{epochs} in {training['train_seconds']:.1f} s, seed {model.provenance.seed}")
    if parts.test is None:
        apart = "--holdout 0.2 keeps some apart to score on."
        if parts.sharded is not None:
            apart = "--test scores on a part that was kept apart."
        echo(f"\nTrained on every rating: no held-out score was computed. {apart}")
    else:
        noun = "interactions" if parts.test.implicit else "ratings"
        echo(f"scored on {parts.describe()}: {len(parts.test):,} {noun}\n")
        if score is not None:
            show_score(score)
        if fitted.lists is not None:
            if score is not None:
                echo()
            show_briefly(fitted.lists)
        elif score is None:
            echo("No RMSE of interactions, and the lists take long: evaluate --lists scores them.")
    some = model.user_ids.ids[0]
    echo(f"\nmodel: {folder}\n\nnext:")
    echo("  " + command_line(["recommend", folder, "--user", some]))
    echo("  " + command_line(["recommend", folder, "--all-users", "--out", "top10.parquet"]))
    echo("  " + command_line(["report", folder]))
    echo("  " + command_line(["serve", folder]))
    if parts.test is not None and (parts.protocol or {}).get("by") in ("file", "name"):
        source = (parts.protocol or {}).get("test") or (parts.protocol or {}).get("name")
        lists = ["--lists"] if score is None else []
        echo("  " + command_line(["evaluate", folder, "--test", source, *lists]))
