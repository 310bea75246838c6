"""``refresh``: train further, judge by the newest days, replace."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...base.arrays import Mask
from ...base.atomic import atomic_path, remove
from ...base.locks import locked
from ...base.memory import find_entries
from ...data import Ratings, load_items
from ...errors import MatineeError, ModelFileError, UsageError
from ...evaluate import Gain, ListGain, list_gain, prequential_gain
from ...feedback import FeedbackStore
from ...feedback.store import hash_of
from ...models import (
    Recommender,
    forget,
    identity,
    load_identified,
    load_model,
    read_manifest,
)
from ...models.update import all_ratings, fit_whole, known_ratings
from .ratings import feedback_ratings

LEAST = 100
"""Minimum number of ratings in the newest days to compare two models."""
MARGIN = 0.002
"""Largest increase in RMSE, at the end of the 95% interval, for which the new model is taken."""
LIST_MARGIN = 0.01
"""Largest decrease in nDCG@10, if not significant, for which the new model is taken."""
_DAY = 86_400
_log = logging.getLogger("matinee.refresh")


@dataclass(frozen=True)
class Refreshed:
    """What became of a refresh.

    Attributes:
        decision: "swapped": the new model is in the folder; "kept": it was worse, the one in
            service stays; "waiting": too little feedback to train on or to judge by.
        because: What the new model was worse in, "ratings" or "lists"; empty unless "kept".
        how: "update", or "anew" (retrained).
        n_new: Ratings of feedback that the model in service was not trained on.
        n_scored: Those of the newest days.
        gain: RMSE of the model in service minus that of the new one on these; None while waiting.
        lists: nDCG@10 of the new model minus that of the one in service, for items liked in
            these days; None while waiting, or if nothing was liked.
        removed: Erased users whose data were removed from the folder before anything else.
    """

    decision: Literal["swapped", "kept", "waiting"]
    how: Literal["update", "anew"]
    n_new: int
    n_scored: int
    gain: Gain | None = None
    lists: ListGain | None = None
    because: tuple[str, ...] = ()
    removed: int = 0

    @property
    def lacks_earlier(self) -> bool:
        """Whether it waits because all new feedback is of the newest days: none to train on."""
        return self.decision == "waiting" and self.n_new == self.n_scored >= LEAST

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def refresh(
    folder: Path,
    store: FeedbackStore,
    *,
    days: float = 7.0,
    anew: bool = False,
    margin: float = MARGIN,
    list_margin: float = LIST_MARGIN,
    weights: Mapping[str, float] | None = None,
    items: Any = None,
    seed: int = 0,
) -> Refreshed:
    """Train a model on feedback and put it in the place of the one in service if it is not worse.

    The new model is trained on all feedback except the newest days, and both are scored on
    these: the ratings prequentially, and the liked items by lists made when the days
    began. It is taken if the 95% interval of the difference in RMSE, paired over users, ends
    within its margin, and the loss of nDCG@10 is both within its margin and within chance: few
    users could only show that lists are worse, not that they are as good. It is then trained on the
    newest days too, and replaces the folder atomically; the former model is kept beside it.

    Whatever the decision, the data of users who were erased from the store are first removed from
    the folder in service and from the former model: see ``models.forget``. Their ratings had an
    effect on the weights in service, so the new model is then retrained without them.

    Args:
        folder: The model folder in service, with histories.
        store: The feedback.
        days: The newest days, to judge by.
        anew: Retrain on everything instead of updating.
        margin: Largest allowed increase in RMSE.
        list_margin: Largest allowed decrease in nDCG@10, if not significant.
        weights: Weight in training of each kind of feedback that is not 1, such as
            ``{"like": 0.5}``; see ``Ratings.weights``.
        items: What ``load_items`` takes: titles and genres of items that feedback adds.
        seed: Seeds training and intervals.

    Raises:
        UsageError: The model was saved without histories, or not trained on ratings; or weights of
            something that is no opinion, or for a model that takes none.
        FeedbackError: The store cannot be read.
        DataError: The table of items cannot be read.
        MatineeError: The folder was replaced meanwhile, or another process refreshes it.
    """
    if not 0 < days < math.inf:
        raise UsageError(f"days = {days:g}: give a number above 0")
    if margin != margin or list_margin != list_margin:  # No loss exceeds it.
        raise UsageError("a margin is nan: give a number")
    titles = None if items is None else load_items(items)
    with _alone(folder):
        erased = store.erased()
        removed = _forget(folder, erased)
        model, _, name = load_identified(folder)
        trained = known_ratings(model)
        if trained.implicit:
            raise UsageError(
                f"{folder}: refresh compares predicted ratings, and this model was trained on "
                "interactions: train anew, and compare with evaluate --lists"
            )
        how: Literal["update", "anew"] = "anew" if anew or "removed" in model.record else "update"
        feedback = feedback_ratings(store, model.scale, weights, titles)
        if feedback is not None and feedback.weights is not None and not model.takes_weights:
            raise UsageError(f"weights: the model {model.kind} takes no weights of ratings")
        new = None if feedback is None else _not_in(trained, feedback)
        if new is None or not len(new):
            return Refreshed("waiting", how, 0, 0, removed=removed)
        assert new.times is not None
        newest = new.times > int(new.times.max()) - round(days * _DAY)
        earlier, test = new.take(~newest).compact(), new.take(newest).compact()
        if len(test) < LEAST or test.n_users < 2 or not len(earlier):
            return Refreshed("waiting", how, len(new), len(test), removed=removed)
        candidate = _trained(model, folder, earlier, how, seed)
        gain, lists = _compared(model, candidate, earlier, test, seed)
        because = tuple(
            name
            for name, worse in (
                ("ratings", (gain.gain if gain.interval is None else gain.interval.low) < -margin),
                ("lists", lists is not None and _worse(lists, list_margin)),
            )
            if worse
        )
        done = Refreshed("swapped", how, len(new), len(test), gain, lists, because, removed)
        if because:
            return replace(done, decision="kept")
        candidate.update(test, seed=seed, progress=False)
        if identity(folder) != name:
            raise MatineeError(
                f"{folder}: was replaced during the refresh, and stays so; try again"
            )
        former = [*model.record.get("refresh", {}).get("former", []), name]
        returned = _erased_among(candidate, erased)
        candidate.record["refresh"] = {**done.as_dict(), "former": former, "returned": returned}
        with atomic_path(previous_of(folder)) as previous:
            shutil.copytree(folder, previous)
        candidate.save(folder)
        return done


def rollback(folder: Path) -> None:
    """Restore the former model in place of the one in service, which is removed.

    The lists of the one removed still count as those of the folder; see ``compare_online``.

    Raises:
        UsageError: No former model is kept.
        MatineeError: Another process refreshes the folder.
    """
    with _alone(folder):
        former = previous_of(folder)
        if not former.is_dir():
            raise UsageError(f"{folder}: no former model is kept; there is no {former.name}")
        model, _, name = load_identified(former)
        record = model.record.get("refresh", {})
        names = [*record.get("former", []), name]
        with suppress(
            ModelFileError
        ):  # it may be restored because the one in service cannot be read
            later = read_manifest(folder)["record"].get("refresh", {})
            names += [*later.get("former", []), identity(folder)]
        model.record["refresh"] = {**record, "former": list(dict.fromkeys(names))}
        model.save(folder)
        remove(former)


def _alone(folder: Path) -> AbstractContextManager[None]:
    """Lock the former model: a second swap would put the first one's model in its place."""
    return locked(previous_of(folder), f"refreshing {folder} or rolling it back")


def previous_of(folder: Path) -> Path:
    """Return the folder of the former model."""
    return folder.parent / f"{folder.name}.previous"


def _worse(lists: ListGain, margin: float) -> bool:
    """Return whether lists are worse beyond the margin, or beyond chance."""
    return lists.gain < -margin or (lists.interval is not None and lists.interval.high < 0)


def _forget(folder: Path, erased: Mapping[str, int]) -> int:
    """Remove erased users from the folder and the former model; return the number in the folder.

    A user whose data a refresh removed may come back. What later refreshes trained on was given
    since, so they are removed again only after another erasure.
    """
    if not erased:
        return 0

    def removed_from(place: Path) -> int:
        returned = load_model(place).record.get("refresh", {}).get("returned", {})
        gone = {hashed for hashed, time in erased.items() if returned.get(hashed) != time}
        return forget(place, lambda user: hash_of(user) in gone)

    if previous_of(folder).is_dir():
        removed_from(previous_of(folder))
    removed = removed_from(folder)
    if removed:  # also logged, as a model that cannot be refreshed has no result
        _log.warning("%s: erased people removed: %d", folder, removed)
    return removed


def _erased_among(model: Recommender, erased: Mapping[str, int]) -> dict[str, int]:
    """Return the erasures of users whom a model has again."""
    hashes = {hash_of(str(user)) for user in model.user_ids.ids} if erased else set[str]()
    return {hashed: time for hashed, time in erased.items() if hashed in hashes}


def _trained(model: Recommender, folder: Path, earlier: Ratings, how: str, seed: int) -> Any:
    """Train a new model: an update, or retraining."""
    candidate: Any = load_model(folder)
    if how == "update":
        return candidate.update(earlier, seed=seed, progress=False)
    data, _ = all_ratings(model, earlier)
    fit_whole(candidate, model, replace(data, notes=()), earlier, seed=seed, progress=False)
    return candidate


def _compared(
    model: Recommender, candidate: Recommender, earlier: Ratings, test: Ratings, seed: int
) -> tuple[Gain, ListGain | None]:
    """Compare two models on the newest days, with what each user gave before as the history."""
    seen, _ = all_ratings(model, earlier)
    sides = []
    for each in (model, candidate):
        people = each._people(seen, "skip")
        sides.append((people.histories, people.rows(test.user_ids.ids)))
    shown = sides[0], sides[1]
    gain = prequential_gain(model, candidate, test, shown, seed=seed)
    return gain, list_gain(model, candidate, test, shown, seed=seed)


def _not_in(trained: Ratings, feedback: Ratings) -> Ratings:
    """Return the ratings that differ from those trained on."""
    users = trained.user_ids.encode(feedback.user_ids.ids)[feedback.users].astype(np.int64)
    items = trained.item_ids.encode(feedback.item_ids.ids)[feedback.items]
    known = trained.by_user
    entries = find_entries(known.indptr, known.indices, users, items)
    repeated: Mask = entries >= 0
    repeated[repeated] = known.values[entries[repeated]] == feedback.values[repeated]
    return feedback.take(~repeated).compact()
