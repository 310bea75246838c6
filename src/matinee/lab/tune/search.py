"""The loop of a sweep: sequential trials, pruned if behind the others or out of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data import Ratings
from ...errors import TrainingError, UsageError
from ...evaluate import rmse
from ...models.registry import kind_named
from .result import Stopped, Trial, best_of
from .space import SearchSpace
from .store import RUNGS, TrialStore

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

    from ...models import Settings
    from ...train import Epoch

_JUDGING = 0.5
"""Share of the budget that may be set aside for judging the best."""
_SLOWEST = 0.25
"""Share of the budget that a trial after the first may take."""


@dataclass(frozen=True)
class Step:
    """The state of a sweep after an epoch.

    Attributes:
        training: The training that is going on: "trial 3", "judging: best, seed 7".
        epoch: Result of the epoch.
        rmse: RMSE that trials are compared by on the way, or None.
        epochs: How many there may be.
        best: The best trial so far, or None.
        left: Seconds until the search ends, or None without a budget.
    """

    training: str
    epoch: Epoch
    rmse: float | None
    epochs: int
    best: Trial | None
    left: float | None


class _PrunedError(Exception):
    """Ends a trial from within its training; never leaves this module."""


class _OverBudgetError(Exception):
    """Likewise, and ends the search."""


@dataclass(eq=False)
class Search:
    """The loop of trials, and the clock."""

    store: TrialStore
    start: Settings
    space: SearchSpace
    train: Ratings
    valid: Ratings
    seed: int
    device: str
    budget: float | None
    on_epoch: Callable[[Step], None] | None
    on_trial: Callable[[Trial, Trial | None], None] | None

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._before = sum(trial.seconds for trial in self.store.finished)
        self._whole_budget = float("inf") if self.budget is None else self.budget * 60.0
        self._left: float | None = None
        network = "network" in kind_named(self.start.kind).uses and self.start.network.shrinks
        self._shrunk = network and self.start.train.validation != 0

    def run(self, trials: int | None, seeds: int, rounds: int) -> Stopped:
        """Run trials until something ends the search.

        Args:
            trials: Maximum number of trials.
            seeds: How often each of two settings is trained in a final comparison.
            rounds: Number of final comparisons, which take part of the budget.
        """
        while trials is None or len(self.store.finished) < trials:
            reserve = self._reserve(seeds, rounds)
            if self._remaining(reserve) <= 0:
                return "budget"
            proposal = self.store.ask()
            if proposal is None:
                return "exhausted"
            try:
                trial = self._trial(*proposal, reserve)
            except BaseException:  # also Ctrl-C: remove the unfinished trial
                self.store.drop(proposal[0])
                raise
            if trial is None:
                self.store.drop(proposal[0])
                return "budget"
            self.store.tell(proposal[0], trial)
            if self.on_trial is not None:
                self.on_trial(trial, best_of(self.store.finished))
        return "trials"

    def seeds_in_time(self, seeds: int, best: Trial, times: int) -> int:
        """Return how often two settings can be trained in the remaining budget; at least 1."""
        affordable = self._remaining(0.0) / times
        seconds_each = self.store.finished[0].seconds + best.seconds
        return max(1, min(seeds, int(min(affordable / max(seconds_each, 1e-9), seeds))))

    def watch(self, training: str, epoch: Epoch, epochs: int) -> None:
        """Pass an epoch to the caller."""
        if self.on_epoch is not None:
            best = best_of(self.store.finished)
            self.on_epoch(Step(training, epoch, self._on_the_way(epoch), epochs, best, self._left))

    def _on_the_way(self, epoch: Epoch) -> float | None:
        """Return the RMSE used to compare trials between epochs.

        That of the network on the validation ratings. Where the final model is shrunk towards the
        bias model, it is that of the shrunk network on the preset's validation part, which is the
        same in every trial.
        """
        return epoch.valid_rmse if self._shrunk else epoch.watched.get("validation")

    def _remaining(self, reserve: float) -> float:
        """Seconds of searching left."""
        return self._whole_budget - reserve - self._before - (time.monotonic() - self._began)

    def _reserve(self, seeds: int, rounds: int) -> float:
        """Estimated seconds of the budget to reserve for the final evaluation.

        While no trial is better than the start, the time of one seed is reserved.
        """
        best = best_of(self.store.finished)
        if self.budget is None or best is None:
            return 0.0
        seconds_each = self.store.finished[0].seconds + best.seconds
        return min(
            rounds * (seeds if best.number else 1) * seconds_each, _JUDGING * self._whole_budget
        )

    def _trial(self, proposal: OptunaTrial, values: dict[str, Any], reserve: float) -> Trial | None:
        """Train and score one setting; None if the budget ended first."""
        from ...models import model as make_model

        number = len(self.store.finished)
        began = time.monotonic()
        epochs = 0

        def result(rmse: float | None, state: Any, reason: str = "") -> Trial:
            seconds = time.monotonic() - began
            return Trial(number, state, rmse, values, epochs, seconds, reason, settings)

        settings = self.start
        try:
            if number:
                settings = self.space.apply(self.start, values)
        except UsageError as error:  # Each value is valid, but not their combination.
            return result(None, "failed", str(error).removeprefix("sweep: "))
        model = make_model(settings=settings, device=self.device)
        networks = model.planned_epochs
        planned, every = networks[0, 0], sum(networks.values())
        n_done = 0
        rungs = _Rungs(proposal, planned)

        def each(epoch: Epoch) -> None:
            nonlocal epochs, n_done
            n_done += 1
            epochs = 0 if epoch.teacher else epoch.epoch
            self._left = None if self.budget is None else max(self._remaining(reserve), 0.0)
            self.watch(f"trial {number}", epoch, networks[0, epoch.teacher])
            if n_done < every:
                if not epoch.teacher:
                    rungs.report(epoch, self._on_the_way(epoch))
                if self._remaining(reserve) <= 0:
                    raise _OverBudgetError
                # The first epoch may include compilation, so two are needed.
                full_seconds = (time.monotonic() - began) / n_done * every
                if number and n_done > 1 and full_seconds > _SLOWEST * self._whole_budget:
                    raise _PrunedError("it would take more than a quarter of the budget")

        held = self.valid
        try:
            watch = {"validation": held}
            model.fit(self.train, seed=self.seed, progress=False, on_epoch=each, watch=watch)
            users, items = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
            score = rmse(model.predict(users, items), held.values)
        except _PrunedError as pruned:
            return result(None, "pruned", str(pruned))
        except _OverBudgetError:
            return None
        except TrainingError as error:
            return result(None, "failed", str(error))
        except MemoryError:
            return result(None, "failed", "out of memory")
        if not score < float("inf"):
            return result(None, "failed", "its predictions are no numbers")
        return result(score, "complete")


class _Rungs:
    """Reports the latest validation RMSE of a trial at each twentieth of its schedule."""

    def __init__(self, proposal: OptunaTrial, epochs: int) -> None:
        self._trial, self._epochs = proposal, epochs
        self._last = 0
        self._stood: float | None = None

    def report(self, epoch: Epoch, value: float | None) -> None:
        """Record an epoch and its RMSE, if any; prune the trial if it is behind."""
        if value is None:  # the ratings to compare on are all of unknown users or items
            return
        rung = epoch.epoch * RUNGS // self._epochs
        if self._stood is not None:
            for passed in range(self._last + 1, rung):
                self._trial.report(self._stood, passed)
        self._stood = value
        if rung > self._last:
            self._last = rung
            self._trial.report(value, rung)
            if self._trial.should_prune():
                raise _PrunedError
