"""``sweep``: hyperparameter search, with an unbiased evaluation of the result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..._version import __version__
from ...data import Ratings, fingerprint, split, split_three, subtract
from ...errors import LeakError, MatineeError, UsageError
from ._judge import judge
from .result import Sweep, Trial, best_of
from .search import Search, Step
from .space import SearchSpace, default_space, refuse_lists
from .store import TrialStore, quietly

if TYPE_CHECKING:
    from ...models import Settings
    from ...recommend import HistoriesLike


def sweep(
    ratings: Ratings,
    preset: str | Settings = "default",
    *,
    name: str | None = None,
    space: SearchSpace | Path | str | None = None,
    budget: float | None = None,
    trials: int | None = None,
    seed: int = 0,
    seeds: int = 2,
    validation: float = 0.1,
    fresh: float = 0.1,
    by: str = "random",
    storage: Path | str | None = None,
    test: Ratings | None = None,
    given: HistoriesLike | None = None,
    device: str = "auto",
    on_epoch: Callable[[Step], None] | None = None,
    on_trial: Callable[[Trial, Trial | None], None] | None = None,
) -> Sweep:
    """Search the settings with the lowest RMSE on some ratings.

    The ratings are divided once: a part that every trial trains on, a validation part that trials
    are compared on (the same ratings for all of them), and a fresh part that the search never
    sees. Trials are proposed by a tree-structured Parzen estimator (Bergstra et al., NeurIPS
    2011), the first being the preset itself; one that is behind the median of the others at the
    same point of its schedule is cut short. At the end the preset and the best are retrained
    with other seeds on all but the fresh part, and compared there: the gain on the validation part
    itself would be flattered by the choice.

    With ``trials`` and no ``budget`` the result depends only on the ratings and the seed, not
    on whether the search was killed and continued.

    Args:
        ratings: What to search on; no test rating may be among them.
        preset: Name of a preset, path of a TOML file, or settings.
        name: Name of the start in messages; by default the preset's name.
        space: What to vary: a space, or the path of a TOML file; by default ``default_space``.
        budget: Minutes in total, summed over all calls that continue a stored sweep: up to half
            is reserved for the comparison at the end, and a trial that is running when the search
            ends is stopped after its epoch. 10 if ``trials`` is not given either.
        trials: How many settings to try, over all calls that continue a stored sweep.
        seed: Seed of the division, the proposals and the trials' training.
        seeds: How often the preset and the best are trained for the comparison; fewer, but one at
            least, if the budget does not suffice.
        validation: Share of the ratings to compare trials on.
        fresh: Share of the ratings to compare the best on.
        by: How the parts are held out; see ``data.split``.
        storage: File of trials, continued if it exists; by default they are not kept.
        test: Ratings to score the preset and the best on at the end, trained on all of
            ``ratings``. Used once, and not for any choice.
        given: Histories of the test users, if they are not part of ``ratings``.
        device: As for ``Autoencoder``.
        on_epoch: Called after each epoch of anything.
        on_trial: Called after each trial that was not stopped, with it and the best so far.

    Raises:
        LeakError: Test ratings are among those to search on.
        UsageError: A setting or value that cannot be, Optuna is not installed, or the storage is
            of another sweep, or not of a sweep.
        DataError: Too few ratings to divide.
        MatineeError: The budget ended before a trial did, or every trial failed.
    """
    start, own_name = _start(preset)
    ratings.require_ratings("a sweep", "compare settings with train and evaluate --lists")
    name = name or own_name
    if space is None:
        space = default_space(start)
    elif not isinstance(space, SearchSpace):
        space = SearchSpace.read_toml(Path(space))
    _check(budget, trials, seeds)
    if test is not None:
        _refuse_overlap(ratings, test)
    if budget is None and trials is None:
        budget = 10.0
    parts = split_three(ratings, fresh, validation, seed, by)
    identity = {
        "data": {"ratings": fingerprint(ratings), "by": by, "parts": [validation, fresh]},
        "preset": start.replace({"description": ""}).model_dump(mode="json"),
        "space": space.model_dump(mode="json")["dimensions"],
        "seed": seed,
        "version of matinee": __version__,
    }
    path = None if storage is None else Path(storage)
    with quietly(), closing(TrialStore(path, identity, start, space, seed)) as store:
        search = Search(
            store, start, space, parts[0], parts[1], seed, device, budget, on_epoch, on_trial
        )
        rounds = 1 if test is None else 2
        stopped = search.run(trials, seeds, rounds)
        finished = tuple(store.finished)
        best = best_of(finished)
        if best is None:
            raise MatineeError(_nothing(finished, budget))

        gain = score = None
        if best.number and finished[0].rmse is not None:
            rest, _ = split(ratings, fresh, seed, by)  # the same fresh part, and all others
            affordable = search.seeds_in_time(seeds, best, rounds)
            gain = judge(search, name, "fresh", rest, parts[2], None, affordable)
        if test is not None and finished[0].rmse is not None:
            affordable = search.seeds_in_time(seeds, best, 1)
            score = judge(search, name, "test", ratings, test, given, affordable)
        return Sweep(
            dataset=ratings.name,
            preset=name,
            start=start,
            space=space,
            trials=finished,
            best=best,
            stopped=stopped,
            seconds=sum(trial.seconds for trial in finished),
            sizes={
                "train": len(parts[0]),
                "validation": len(parts[1]),
                "fresh": len(parts[2]),
                "test": 0 if test is None else len(test),
            },
            fresh=gain,
            test=score,
            importances=store.importances(),
        )


def _start(preset: str | Settings) -> tuple[Settings, str]:
    from ...models import Settings, preset as find

    start, name = (
        (preset, "the start") if isinstance(preset, Settings) else (find(preset), Path(preset).name)
    )
    if start.members:
        raise UsageError(f"{name} is an ensemble; a sweep searches the settings of one model")
    refuse_lists(start)
    return start, name


def _check(budget: float | None, trials: int | None, seeds: int) -> None:
    if budget is not None and not 0 < budget < float("inf"):
        raise UsageError(f"budget = {budget:g}: give minutes above 0")
    if trials is not None and trials < 1:
        raise UsageError(f"trials = {trials}: must be at least 1")
    if seeds < 1:
        raise UsageError(f"seeds = {seeds}: must be at least 1")


def _refuse_overlap(ratings: Ratings, test: Ratings) -> None:
    _, _, shared = subtract(ratings, test)
    if shared:
        raise LeakError(
            f"{test.name}: {shared:,} of its pairs are among the ratings to search on; leave them "
            "out with data.subtract"
        )


def _nothing(trials: tuple[Trial, ...], budget: float | None) -> str:
    if not trials:
        return (
            f"the budget of {budget:g} minutes ended before the first training did; give more, or "
            "start from fewer epochs"
        )
    return f"every one of {len(trials)} trials failed; the first: {trials[0].reason}"
