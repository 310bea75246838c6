"""The runs of a study: their keys, and the arms that share them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...errors import UsageError, nearest
from ...models.registry import kind_named
from ...models.settings import Settings
from .arms import ResolvedArm, members, resolve_arms
from .models import by_settings
from .runs.data import describe_data, described_parts
from .study import ArmGroup, Data, Quick, Study

FORMAT = 1
"""Version of the contents and computation of records, part of a run's key."""

RunName = tuple[str, str, int]
"""Arm (GROUP/ARM), name of the data, seed."""


@dataclass(frozen=True)
class Spec:
    """One run, plain enough to be sent to another process.

    Attributes:
        key: Hash of all that decides the result.
        arm: The first arm that wants it.
        kind: Kind of model.
        settings: Settings, or options.
        data: Description of its data (``describe_data``).
        data_name: Name of the data in the study.
        seed: The seed.
        figures: What is computed after each epoch.
        extra: What is measured once.
        cost: Seconds it takes, roughly.
    """

    key: str
    arm: str
    kind: str
    settings: dict[str, Any]
    data: dict[str, Any]
    data_name: str
    seed: int
    figures: tuple[str, ...]
    extra: tuple[str, ...]
    cost: float = 1.0


@dataclass(frozen=True)
class Plan:
    """The runs of a study.

    Attributes:
        study: The study, or its cut version.
        specs: The runs by key, in order of execution: every seed of all arms before
            the next seed, so that a study that is stopped is balanced; the longest first.
        names: The key of each (arm, data, seed).
    """

    study: Study
    specs: dict[str, Spec]
    names: dict[RunName, str]

    def wanted(
        self,
        groups: Iterable[str] = (),
        seeds: Iterable[int] = (),
        arms: Iterable[str] = (),
        data: Iterable[str] = (),
    ) -> list[Spec]:
        """Return the runs of some groups, seeds, arms (GROUP/ARM) and data; of all by default.

        Raises:
            UsageError: No such group, seed, arm or data.
        """
        asked: dict[str, list[Any]]
        asked = {"group": [*groups], "arm": [*arms], "data": [*data], "seed": [*seeds]}
        runs: list[tuple[dict[str, Any], str]] = [
            ({"group": arm.partition("/")[0], "arm": arm, "data": on, "seed": seed}, key)
            for (arm, on, seed), key in self.names.items()
        ]
        for what, wanted in asked.items():
            known = sorted({str(run[what]) for run, _ in runs})
            for name in map(str, wanted):
                if name not in known:
                    near = nearest(name, known)
                    raise UsageError(f"study {self.study.name} has no {what} {name!r}{near}")
        keys = {
            key
            for run, key in runs
            if all(run[what] in wanted for what, wanted in asked.items() if wanted)
        }
        return [spec for key, spec in self.specs.items() if key in keys]


def plan_study(study: Study, *, quick: bool = False, seeds: Iterable[int] = ()) -> Plan:
    """Return all runs of a study. Reads its data, to name it by its content.

    Args:
        study: The study.
        quick: Whether to plan its cut version.
        seeds: Seeds instead of the study's.

    Raises:
        UsageError: Something in the study is wrong.
        DataError: Its data cannot be read.
    """
    resolve_arms(study)  # all of it, so that an error in a part that is cut is found too
    if quick:
        study = cut_study(study)
    if seeds:
        free = tuple(data.model_copy(update={"seeds": ()}) for data in study.data)
        chosen = tuple(dict.fromkeys(seeds))
        study = study.model_copy(update={"seeds": chosen, "data": free})
    users = study.cut.users if study.cut else 1.0
    sizes: dict[str, tuple[int, int]] = {}
    specs: dict[str, Spec] = {}
    names: dict[RunName, str] = {}
    for arm, on, seed in runs_of(study):
        data = describe_data(on, seed, users)
        n_users, n_ratings = _sizes(data, sizes)
        spec = Spec(
            key=_key(arm, data, seed, study),
            arm=arm.name,
            kind=arm.kind,
            settings=arm.settings,
            data=data,
            data_name=on.name,
            seed=seed,
            figures=study.figures,
            extra=study.extra,
            cost=kind_named(arm.kind).cost(arm.settings, n_users, n_ratings),
        )
        specs.setdefault(spec.key, spec)
        names[arm.name, on.name, seed] = spec.key
    order = {seed: at for at, seed in enumerate(study.seeds)}
    ranked = sorted(specs.values(), key=lambda s: (order.get(s.seed, len(order)), -s.cost))
    return Plan(study, {spec.key: spec for spec in ranked}, names)


def runs_of(study: Study) -> list[tuple[ResolvedArm, Data, int]]:
    """Return every arm of a study with each of its data and each seed that runs on it."""
    by_name = {data.name: data for data in study.data}
    return [
        (arm, by_name[name], seed)
        for arm in resolve_arms(study)
        for name in arm.data
        for seed in arm.seeds
        if not by_name[name].seeds or seed in by_name[name].seeds
    ]


def _key(arm: ResolvedArm, data: dict[str, Any], seed: int, study: Study) -> str:
    settings = arm.settings
    if by_settings(settings):
        # What is at its default is left out, so that a new option leaves old runs as they are.
        chosen = Settings.make(settings, arm.name).model_copy(update={"description": ""})
        settings = chosen.model_dump(mode="json", exclude_defaults=True)
    # The path of the ratings and their name in the study do not change the result.
    decides = {
        "format": FORMAT,
        "kind": arm.kind,
        "settings": settings,
        "data": {name: value for name, value in data.items() if name not in ("source", "read")},
        "seed": seed,
        "figures": sorted(study.figures),
        "extra": sorted(study.extra),
    }
    text = json.dumps(decides, sort_keys=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _sizes(data: dict[str, Any], known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Return about how many users and training ratings data has; ``known`` is added to."""
    if "synthetic" in data:
        users, ratings = data["synthetic"]["users"], data["synthetic"]["ratings"]
    else:
        name = f"{data['source']}|{data['holdout']}|{data['fingerprint']}"
        if name not in known:
            train = described_parts(data)[0]
            known[name] = train.n_users, len(train)
        users, ratings = known[name]
    held_out = data["holdout"] if data["holdout"] < 1 else 0.0  # of a number, none is counted
    share = data["users"] * data["ratings"] * (1 - held_out)
    return max(2, int(users * data["users"])), max(2, int(ratings * share))


def cut_study(study: Study) -> Study:
    """Return the short version of a study for ``--quick``."""
    cut: Quick = study.quick
    groups = [
        remaining
        for group in study.groups
        if group.name not in cut.skip and (not cut.groups or group.name in cut.groups)
        if (remaining := _without(group, cut.skip))
    ]
    short = study.model_copy(update={"groups": tuple(groups), "seeds": cut.seeds, "cut": cut})
    if cut.data:
        short = on_data(short, set(cut.data))
    if not short.groups or not short.data:
        raise UsageError(f"study {study.name}: its quick version has nothing left to run")
    return short


def on_data(study: Study, names: set[str]) -> Study:
    """Restrict a study to data with these names, and to groups and arms that use them."""
    groups = []
    for group in study.groups:
        arms = tuple(
            arm.model_copy(update={"data": tuple(d for d in arm.data if d in names)})
            for arm in group.arms
            if not arm.data or names & set(arm.data)
        )
        used = tuple(name for name in group.data if name in names)
        if (used or not group.data) and (arms or group.values or group.cross):
            groups.append(group.model_copy(update={"arms": arms, "data": used}))
    data = tuple(data for data in study.data if data.name in names)
    return study.model_copy(update={"groups": tuple(groups), "data": data})


def _without(group: ArmGroup, skip: tuple[str, ...]) -> ArmGroup | None:
    """Remove arms from a group; None if none is left."""
    skipped = {name.split("/", 1)[1] for name in skip if name.startswith(f"{group.name}/")}
    if not skipped:
        return group
    # Arms that are left are written out one by one, so that any of them can be missing.
    rest = tuple(arm for arm in members(group) if arm.name not in skipped)
    names = {arm.name for arm in rest}
    published = {name: value for name, value in group.published.items() if name in names}
    changes = {"values": (), "cross": {}, "arms": rest, "published": published}
    return group.model_copy(update=changes) if rest else None
