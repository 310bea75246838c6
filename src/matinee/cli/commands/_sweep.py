"""``matinee sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.splits.rules import choices
from ...errors import UsageError
from .. import source as source_options
from ..options import Changes, Preset, Seed
from ..output import answer, command_line, echo, note, print_json, print_table
from ..show.progress import clock_text
from ..show.sweep_progress import SweepProgress, value_text
from ..source import Json
from ..threads import Device, Threads, use_threads

if TYPE_CHECKING:
    from ...evaluate import Gain
    from ...lab.tune import Sweep, Trial
    from ..parts import Parts

_SHOWN = 8
"""Trials shown, the best; all of them go to --table."""


@source_options.reading_options()
def sweep(
    ctx: typer.Context,
    source: str | None = None,
    *,
    budget: float | None = None,
    trials: int | None = None,
    preset: Preset = "default",
    settings: Changes = None,
    space: Path | None = None,
    out: Path | None = None,
    storage: Path | None = None,
    table: Path | None = None,
    test: str | None = None,
    holdout: float | None = None,
    by: Annotated[
        str, typer.Option(metavar="PROTOCOL", help=f"How every part is held out: {choices()}.")
    ] = "random",
    seed: Seed = 0,
    seeds: int = 2,
    show_space: bool = False,
    threads: Threads = None,
    device: Device = "auto",
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Search the settings that predict your ratings best; write them as a preset.

    Settings are compared on one part of the ratings; the gain of the best is measured on another
    that the search never uses. The best so far is always in the preset file. Needs the extra
    'sweep'.

    Args:
        source: As for 'data describe'; or a split (ml-100k/u1, or a folder with train and test
            parts), to search on its train part and score on its test part at the end.
        budget (MINUTES): Minutes in total, over all runs of the command; 10 without --trials.
        trials (N): Largest number of settings to try, over all runs of the command.
        space (FILE): Search space, as TOML; by default a space around the preset (--show-space).
        out (FILE): Preset file for the best settings; by default DATASET-best.toml.
        storage (FILE): File of trials, continued if it exists; by default NAME.trials beside --out.
        table (FILE): Write all trials, as .csv, .tsv, .parquet or .json.
        test (SOURCE): Ratings to score on once, at the end. Those also in SOURCE are left out of
            the search.
        holdout: Hold out ratings to score on once, at the end: a share below 1, or a whole number.
        seed: Seed of the parts, the trials and training.
        seeds: Number of trainings of the preset and of the best to compare them.
        show_space: Only print the space as TOML, to save and change.
    """
    use_threads(threads)
    from ...config import parse_settings
    from ...data.table import library
    from ...lab.tune import SearchSpace, default_space, sweep as search
    from ...lab.tune.result import check_preset_name, check_table_name
    from ...models import preset as find_preset
    from ..fit import file_name, preset_label
    from ..parts import read_parts

    start = find_preset(preset).replace(parse_settings(settings or []), "--set")
    found_space = default_space(start) if space is None else SearchSpace.read_toml(space)
    if show_space:
        answer(json, found_space, found_space.to_toml())
        return
    library("optuna", "sweep")
    if out is not None:
        check_preset_name(out)
    if table is not None:
        check_table_name(table)
    read = source_options.Reading(reading, source)
    rule = None if holdout is None else by
    parts = read_parts(source, read, test=test, holdout=holdout, by=rule, seed=seed)
    target = out or Path(f"{file_name(parts.train.name) or 'ratings'}-best.toml")
    _check_target(target)
    trials_file = storage or target.with_suffix(".trials")
    if not json:
        note(_beginning(parts, preset, trials_file))
    best_yet = _BestYet(target, parts.train.name, preset_label(preset))
    try:
        with SweepProgress(trials, quiet=json) as progress:

            def on_trial(trial: Trial, best: Trial | None) -> None:
                best_yet.write(trial, best)
                progress.trial(trial, best)

            result = search(
                parts.train,
                start,
                name=preset_label(preset),
                space=found_space,
                budget=budget,
                trials=trials,
                seed=seed,
                seeds=seeds,
                by=by,
                storage=trials_file,
                test=parts.test,
                given=parts.given,
                device=device,
                on_epoch=progress,
                on_trial=on_trial,
            )
    except KeyboardInterrupt:
        note(_interrupted(best_yet.trial, target, trials_file, ctx.obj or ["sweep"]))
        raise
    result.save(target)
    if table is not None:
        result.write_trials(table)
    if json:
        files = {"preset_file": target, "storage": trials_file, "table": table}
        print_json({**result.as_dict(), "seed": seed, "split": parts.protocol, **files})
    else:
        _show(result, parts, target, table, source)


class _BestYet:
    """The best trial; its settings are written at once, so that no end of the search loses them."""

    def __init__(self, target: Path, dataset: str, preset: str) -> None:
        self._target, self._names = target, (dataset, preset)
        self._start_rmse: float | None = None
        self.trial: Trial | None = None

    def write(self, trial: Trial, best: Trial | None) -> None:
        from ...lab.tune.result import described, write_preset

        self.trial = best
        if trial.number == 0:
            self._start_rmse = trial.rmse
        if best is trial:
            worth = "the search has not ended, and it is not judged on fresh ratings"
            settings = described(trial, self._start_rmse, *self._names, worth)
            write_preset(self._target, settings)


def _interrupted(best: Trial | None, target: Path, storage: Path, command: list[str]) -> str:
    text = "\nmatinee: "
    if best is not None:
        text += (
            f"the best so far (trial {best.number}, validation RMSE {best.rmse:.4f}) is in "
            f"{target}; "
        )
    return f"{text}the trials are kept in {storage}; to continue:\n  {command_line(command)}"


def _check_target(target: Path) -> None:
    """Refuse to write over a file that is no preset."""
    from ...models import preset

    if target.exists():
        try:
            preset(str(target))
        except UsageError:
            raise UsageError(
                f"{target}: is there and is no preset; choose another place with --out"
            ) from None


def _beginning(parts: Parts, preset: str, storage: Path) -> str:
    text = f"matinee: searching settings from {preset} on, for {parts.size}"
    if storage.exists() and storage.stat().st_size:
        text += f"\nmatinee: going on with the trials in {storage}"
    return text


def _show(
    result: Sweep, parts: Parts, target: Path, table: Path | None, source: str | None
) -> None:
    states = [trial.state for trial in result.trials]
    reasons = {
        "budget": "the budget is used up",
        "trials": "as many as asked for",
        "exhausted": "everything in the space is tried",
    }
    echo(
        f"{len(states)} trials in {clock_text(result.seconds)} ({states.count('pruned')} cut "
        f"short, {states.count('failed')} failed): {reasons[result.stopped]}"
    )
    sizes = result.sizes
    echo(
        f"each trained on {sizes['train']:,} ratings and scored on the same "
        f"{sizes['validation']:,} others; {sizes['fresh']:,} fresh ones were kept apart\n"
    )
    best = sorted((t for t in result.trials if t.rmse is not None), key=lambda t: t.rmse or 0.0)
    rows = best[:_SHOWN]
    if result.trials[0] not in rows:
        rows.append(result.trials[0])
    keys = list(result.space.dimensions)
    names = [key.rsplit(".", 1)[-1] for key in keys]
    print_table(
        ["trial", "validation RMSE", "epochs", "seconds", *names],
        [
            (
                t.number,
                t.rmse,
                t.epochs,
                f"{t.seconds:.1f}",
                *(value_text(t.values[k]) for k in keys),
            )
            for t in rows
        ],
    )
    echo(f"(trial 0 is {result.preset} itself)")
    if result.importances:
        order = sorted(result.importances.items(), key=lambda pair: -pair[1])
        text = ", ".join(f"{key.rsplit('.', 1)[-1]} {100 * share:.0f}%" for key, share in order)
        echo(f"what decided the RMSE: {text}")
    for part_name, gain in (("fresh ratings", result.fresh), (parts.describe(), result.test)):
        if gain is not None:
            models = "one model" if gain.seeds == 1 else f"mean of {gain.seeds} models"
            echo(f"\nscored on {part_name}: {gain.n:,} ratings, {models} of each\n")
            _show_gain(gain, result.preset, alone=result.best.number == 0)
    echo(f"\nThe best: {result.worth}.")
    echo(f"\npreset: {target}" + (f"\ntrials: {table}" if table else "") + "\n\nnext:")
    echo("  " + command_line(["presets", target]))
    if source is not None:
        echo("  " + command_line(["train", source, "--preset", target]))


def _show_gain(gain: Gain, preset: str, *, alone: bool) -> None:
    from ...evaluate import interval_text

    if alone:  # the best is the preset itself
        print_table(["", "RMSE"], [(preset, gain.before)])
        return
    print_table(
        ["", "RMSE", "gain", "95% interval of the gain"],
        [
            (preset, gain.before, None, None),
            ("best", gain.after, gain.gain, interval_text(gain.interval) or None),
        ],
    )
