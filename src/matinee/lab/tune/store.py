"""The trials of a sweep, kept so that a killed one resumes without repeating any.

The next trial depends only on the stored trials: the sampler is seeded for each trial by the
sweep's seed and the number of finished trials. So a sweep that was killed and continued makes the
same trials as one that was not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ...base.locks import try_lock
from ...config import differing
from ...data.table import library
from ...errors import MatineeError, UsageError
from .result import Trial
from .space import SearchSpace, is_whole, plain

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial as OptunaTrial

    from ...models import Settings

RUNGS = 20
"""Trials are compared at twentieths of their own schedule: with a learning rate that falls over the
epochs, the tenth epoch of twenty is not the tenth of a hundred."""
_STARTUP = 5
"""Trials drawn at random before the sampler learns from them."""
_UNPRUNED = 2
"""Trials that run to their end before any is cut short."""
_WARMUP = 0.4
"""Share of its schedule that every trial may run."""
_ATTEMPTS = 50
"""Consecutive draws of known settings after which nothing new is expected."""
_NAME = "sweep"


@contextmanager
def quietly() -> Iterator[None]:
    """Silence Optuna's messages."""
    logging = library("optuna", "sweep").logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


class TrialStore:
    """The trials so far, in a file or in memory.

    A file is locked until ``close``.

    Args:
        path: The file; made if absent. None keeps the trials in memory.
        identity: Identity of the sweep, by names for messages ("data", "space", ...),
            JSON-able. A file of another sweep is refused.
        start: The settings that the search starts from, which are the first trial.
        space: What it varies.
        seed: Seed of the sampler.

    Attributes:
        finished: The trials done, first to last.

    Raises:
        UsageError: The file is of another sweep, not a sweep, or in use by another process.
        MatineeError: It is damaged, or cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        identity: Mapping[str, Any],
        start: Settings,
        space: SearchSpace,
        seed: int,
    ) -> None:
        self._start, self._space, self._seed = start, space, seed
        self._optuna = library("optuna", "sweep")
        self._file: BinaryIO | None = None
        try:
            self._study = self._open(path)
            self._identify(path, plain(identity))
        except BaseException:
            self.close()
            raise
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished():  # the process that ran it is gone
                self.drop(trial.number)
        states = self._optuna.trial.TrialState
        ended = self._study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED))
        self.finished = [self._read(number, trial) for number, trial in enumerate(ended)]

    def close(self) -> None:
        """Close the file, which releases its lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def ask(self) -> tuple[OptunaTrial, dict[str, Any]] | None:
        """Return a trial to run and its values; None if only known settings are drawn."""
        number = len(self.finished)
        if number == 0:
            return self._first()
        tried = [trial.values for trial in self.finished]
        for attempt in range(_ATTEMPTS):
            state = np.random.SeedSequence([self._seed, number, attempt]).generate_state(1)
            self._study.sampler = self._optuna.samplers.TPESampler(
                seed=int(state[0]), n_startup_trials=_STARTUP
            )
            proposal = self._study.ask()
            values = {key: self._suggest(proposal, key) for key in self._space.dimensions}
            if values not in tried:
                return proposal, values
            self.drop(proposal)
        return None

    def drop(self, proposal: OptunaTrial | int) -> None:
        """Discard a trial, or the trial of a number, that was stopped without a result."""
        self._study.tell(proposal, state=self._optuna.trial.TrialState.FAIL)

    def tell(self, proposal: OptunaTrial, trial: Trial) -> None:
        """Keep the result of a trial."""
        # One write for all of it: a kill leaves the whole record or none.
        proposal.set_user_attr("matinee", trial.as_record())
        if trial.state == "complete":
            self._study.tell(proposal, trial.rmse)
        else:
            self._study.tell(proposal, state=self._optuna.trial.TrialState.PRUNED)
        self.finished.append(trial)

    def note(self, name: str) -> Any:
        """Return a value stored with the trials, or None."""
        return self._study.user_attrs.get(name)

    def set_note(self, name: str, value: Any) -> None:
        """Store a JSON-serialisable value with the trials."""
        self._study.set_user_attr(name, plain(value))

    def importances(self) -> dict[str, float]:
        """Return the importance of each dimension for the validation RMSE by PED-ANOVA; sums to 1.

        Watanabe et al., "PED-ANOVA" (IJCAI 2023). Empty with fewer than 10 complete trials, or
        if all have the same RMSE, which is not informative.
        """
        complete = [trial for trial in self.finished if trial.state == "complete"]
        if len(complete) < 10 or len({trial.rmse for trial in complete}) < 3:
            return {}
        evaluator = self._optuna.importance.PedAnovaImportanceEvaluator()
        values = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {key: float(share) for key, share in values.items()}

    def _open(self, path: Path | None) -> Study:
        optuna = self._optuna
        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=_UNPRUNED, n_warmup_steps=int(_WARMUP * RUNGS)
        )
        if path is None:
            return optuna.create_study(pruner=pruner)
        self._file = _lock(path)
        _mend(path, self._file)
        journal = optuna.storages.journal
        Path(f"{path}.lock").unlink(missing_ok=True)  # a killed process may have left it
        backend = journal.JournalFileBackend(
            str(path), lock_obj=journal.JournalFileOpenLock(str(path))
        )
        try:
            storage = optuna.storages.JournalStorage(backend)
            exists = _NAME in optuna.get_all_study_names(storage)
            begin = optuna.load_study if exists else optuna.create_study
            study = begin(storage=storage, study_name=_NAME, pruner=pruner)
        except (ValueError, KeyError, TypeError, AssertionError, IndexError) as error:
            raise MatineeError(
                f"{path}: damaged ({type(error).__name__}: {error}); remove it to start anew"
            ) from None
        return study

    def _identify(self, path: Path | None, identity: dict[str, Any]) -> None:
        known = self.note("identity")
        if known is None:
            self.set_note("identity", identity)
            return
        for name, value in identity.items():
            if known.get(name) != value:
                raise UsageError(
                    f"{path}: the {name} changed since that sweep"
                    f"{_differs(known.get(name), value)}; give --storage another file, "
                    "or remove this one to start anew"
                )

    def _first(self) -> tuple[OptunaTrial, dict[str, Any]]:
        """Return the start of the search; values outside of the space are left out."""
        values = self._space.start_values(self._start)
        held = {k: v for k, v in values.items() if self._space.dimensions[k].holds(v)}
        choices = {key for key, dimension in self._space.dimensions.items() if dimension.choices}
        self._study.enqueue_trial(
            {key: json.dumps(plain(v)) if key in choices else v for key, v in held.items()}
        )
        proposal = self._study.ask()
        for key in held:
            self._suggest(proposal, key)
        return proposal, values

    def _suggest(self, proposal: OptunaTrial, key: str) -> Any:
        dimension = self._space.dimensions[key]
        if dimension.choices:
            # Optuna keeps plain values only, and a choice may be a list.
            texts = [json.dumps(plain(choice)) for choice in dimension.choices]
            return json.loads(proposal.suggest_categorical(key, texts))
        low, high = dimension.low, dimension.high
        assert low is not None
        assert high is not None
        if is_whole(key):
            return proposal.suggest_int(key, int(low), int(high), log=dimension.log)
        return proposal.suggest_float(key, low, high, log=dimension.log)

    def _read(self, number: int, trial: FrozenTrial) -> Trial:
        record = dict(trial.user_attrs["matinee"])
        settings = self._start
        with suppress(UsageError):  # of a trial that failed as its values do not go together
            if number:
                settings = self._space.apply(self._start, record["values"])
        return Trial(**record, settings=settings)


def _lock(path: Path) -> BinaryIO:
    """Open for appending, locked for this process if the system supports it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise MatineeError(f"{path}: cannot keep the trials there: {error.strerror}") from None
    if not try_lock(file):
        file.close()
        raise UsageError(f"{path}: another sweep is running on it")
    return file


def _mend(path: Path, file: BinaryIO) -> None:
    """Refuse files that are not sweeps, and remove an incomplete last line."""
    file.seek(0)
    first = file.readline()
    if not first:
        return
    try:
        known = first.endswith(b"\n") and "op_code" in json.loads(first)
    except (ValueError, TypeError):
        known = False
    if not known:
        raise UsageError(f"{path}: not the trials of a sweep; give --storage another file")
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    complete = file.read().rfind(b"\n") + 1
    if complete < end:
        file.truncate(complete)


def _differs(was: Any, now: Any) -> str:
    """Return the differing parts of two records."""
    if not isinstance(was, dict) or not isinstance(now, dict):
        return "" if isinstance(now, str | None) and len(str(now)) > 20 else f" ({was}, now {now})"
    names = differing(was, now)
    return f" ({', '.join(names)})" if names else ""
