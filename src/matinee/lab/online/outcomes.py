"""Acceptance of the lists of each model, from a store of feedback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...base.arrays import Float64, Int64
from ...feedback import Event, FeedbackStore

RANKS = 20
"""Places of a list that acceptance is counted for."""
_DAY = 86_400


@dataclass(eq=False)
class Arm:
    """The lists of one model, and the users whose first list it made.

    All lists of such a user count for this arm, whichever model made the later ones (intention to
    treat): leaving out users who saw both would be a selection by outcome.

    Attributes:
        n_lists: Lists that were shown.
        items: How often each item stood in one, by id.
        shown: Lists that had an item at each rank, int64 (RANKS,).
        accepted: Number of these from which that item was accepted.
        first: Time at which each user saw their first list, by user.
        lists: Lists of each user within the window, and those from which something was accepted.
    """

    n_lists: int = 0
    items: Counter[str] = field(default_factory=Counter)
    shown: Int64 = field(default_factory=lambda: np.zeros(RANKS, dtype=np.int64))
    accepted: Int64 = field(default_factory=lambda: np.zeros(RANKS, dtype=np.int64))
    first: dict[str, int] = field(default_factory=dict)
    lists: dict[str, list[int]] = field(default_factory=dict)

    def outcomes(self, until: int, span: int) -> tuple[Int64, Float64]:
        """Return when each user's window closed, ascending, and the accepted share of their lists.

        Args:
            until: Windows that are open at this second are left out.
            span: Length of the window in seconds.
        """
        rows = sorted(
            (start + span, user) for user, start in self.first.items() if start + span <= until
        )
        shares = [self.lists[user][1] / self.lists[user][0] for _, user in rows]
        closed = np.array([end for end, _ in rows], dtype=np.int64)
        return closed, np.array(shares, dtype=np.float64)


def read_arms(
    store: FeedbackStore, models: Sequence[frozenset[str]], liked: float, days: float
) -> tuple[list[Arm], int, int]:
    """Return the lists of some models, in two passes over the store.

    An item is accepted by a click, a like, or a rating of at least ``liked`` that names the list it
    was in. Lists of a user count if shown within ``days`` of the first. ``models`` has the
    identifiers of each model, with which the names of its lists begin.

    Returns:
        The arms, the time of the latest event, and the number of users who saw lists of both.
    """
    arms = [Arm() for _ in models]
    arm_of = {name: arm for names, arm in zip(models, arms, strict=True) for name in names}
    span = round(days * _DAY)
    rows: dict[str, tuple[Arm, Event]] = {}
    home_of: dict[str, Arm] = {}
    both: set[str] = set()
    latest = 0
    for event in store.events():
        latest = max(latest, event.time)
        if event.kind != "shown" or event.list is None or event.list in rows:
            continue
        arm = arm_of.get(event.list.partition(".")[0])
        if arm is not None:
            rows[event.list] = arm, event
    for arm, event in sorted(rows.values(), key=lambda row: row[1].time):
        # In the order of time: events may arrive in another.
        home = home_of.setdefault(event.user, arm)
        if home is not arm:
            both.add(event.user)
        _show(arm, home, event, span)
    taken: set[str] = set()
    counted: set[tuple[str, str]] = set()
    for event in store.events():
        if event.list not in rows or event.item is None or not _accepts(event, liked):
            continue
        arm, shown = rows[event.list]
        if event.user != shown.user:
            continue
        items = shown.items or ()
        # By the list as it was shown, ignoring the rank in the event.
        rank = items.index(event.item) + 1 if event.item in items else None
        if rank is not None and rank <= RANKS and (event.list, event.item) not in counted:
            counted.add((event.list, event.item))
            arm.accepted[rank - 1] += 1
        home = home_of[shown.user]
        start = home.first[shown.user]
        in_window = start <= shown.time <= start + span and event.time <= start + span
        if in_window and event.list not in taken:
            taken.add(event.list)
            home.lists[shown.user][1] += 1
    return arms, latest, len(both)


def _show(arm: Arm, home: Arm, event: Event, span: int) -> None:
    arm.n_lists += 1
    start = home.first.setdefault(event.user, event.time)
    lists = home.lists.setdefault(event.user, [0, 0])
    if start <= event.time <= start + span:
        lists[0] += 1
    items = event.items or ()
    arm.shown[: min(len(items), RANKS)] += 1
    arm.items.update(items)


def _accepts(event: Event, liked: float) -> bool:
    if event.kind == "rating":
        return event.value is not None and event.value >= liked
    return event.kind in ("click", "like")
