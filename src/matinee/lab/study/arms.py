"""From the groups of a study to its arms, each with all of its settings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ...errors import UsageError, nearest
from ...models.presets import preset, preset_names
from ...models.registry import kind_named
from ...models.settings import Settings
from .results import BASELINES
from .study import Arm, ArmGroup, Published, Selection, Study


@dataclass(frozen=True)
class ResolvedArm:
    """An arm with all references resolved.

    Attributes:
        name: GROUP/ARM.
        group: The group's name.
        kind: Kind of model.
        settings: All settings as plain values; the options, for another model.
        data: Names of the data it runs on.
        seeds: The arm's seeds.
        published: The arm's published figures.
        selection: How its settings were chosen; "" if not declared.
        preset: The preset that it is, unchanged; "" for any other.
    """

    name: str
    group: str
    kind: str
    settings: dict[str, Any]
    data: tuple[str, ...]
    seeds: tuple[int, ...]
    published: Published | None
    selection: Selection = ""
    preset: str = ""


def resolve_arms(study: Study) -> tuple[ResolvedArm, ...]:
    """Return every arm of a study, in the order of its file.

    A preset named further in replaces one named further out, together with the changes made to
    that one: the study's ``set`` changes the study's preset, a group's the preset of the group.

    Raises:
        UsageError: An unknown preset, setting, model, data or arm name (with the nearest), a value
            out of range, or two arms of one name.
    """
    arms: dict[str, ResolvedArm] = {}
    for group in study.groups:
        if "/" in group.name or not group.name:
            raise UsageError(f"study {study.name}: group {group.name!r}: a name without /, please")
        if group.values and not group.key:
            raise UsageError(f"study {study.name}: group {group.name}: values of which key?")
        arms_of_group = list(members(group))
        if not arms_of_group:
            raise UsageError(
                f"study {study.name}: group {group.name} has no arms; give it key and values, or "
                "arms"
            )
        unknown = set(group.published) - {arm.name for arm in arms_of_group}
        for name in sorted(unknown):
            near = nearest(name, [arm.name for arm in arms_of_group])
            raise UsageError(
                f"study {study.name}: group {group.name}: published names no arm {name!r}{near}"
            )
        for arm in arms_of_group:
            resolved = _resolve(study, group, arm)
            if resolved.name in arms:
                raise UsageError(f"study {study.name}: two arms are called {resolved.name}")
            arms[resolved.name] = resolved
    _check_names(study, arms)
    return tuple(arms.values())


def members(group: ArmGroup) -> Iterator[Arm]:
    """Yield the arms of a group as written."""
    axes = {group.key: group.values} if group.values else {}
    axes |= group.cross
    for combination in itertools.product(*axes.values()) if axes else ():
        varied = dict(zip(axes, combination, strict=True))
        parts = [
            value_name(value) if key == group.key else f"{_short(key)}={value_name(value)}"
            for key, value in varied.items()
        ]
        yield Arm(name=",".join(parts), set=varied)
    yield from group.arms


def value_name(value: Any) -> str:
    """Return a value as written in an arm's name: 1e-06, on, 3x128, 128-64-128."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        if len(value) > 1 and len(set(value)) == 1:
            return f"{len(value)}x{value[0]}"
        return "-".join(map(value_name, value))
    return str(value)


def _short(key: str) -> str:
    return key.rsplit(".", 1)[-1]


def _resolve(study: Study, group: ArmGroup, arm: Arm) -> ResolvedArm:
    name = f"{group.name}/{arm.name}"
    source = f"study {study.name}: {name}"
    whole = ""
    if arm.model:
        if arm.preset:
            raise UsageError(f"{source}: a model has no preset; name one of the two")
        kind, settings = kind_named(arm.model, source).name, dict(arm.set)
    else:
        full = _settings(study, group, arm, source)
        named = arm.preset or group.preset or study.preset
        whole = named if named in preset_names() and full == preset(named) else ""
        kind = full.model_kind
        settings = full.model_dump(mode="json")
    known = [data.name for data in study.data]
    names = arm.data or group.data or tuple(known)
    for asked in names:
        if asked not in known:
            raise UsageError(f"{source}: no data {asked!r}{nearest(asked, known)}")
    published = arm.published or group.published.get(arm.name)
    seeds = arm.seeds or study.seeds
    selection = arm.selection or group.selection
    return ResolvedArm(name, group.name, kind, settings, names, seeds, published, selection, whole)


def _settings(study: Study, group: ArmGroup, arm: Arm, source: str) -> Settings:
    named = arm.preset or group.preset or study.preset
    layers: list[Mapping[str, Any]] = [] if arm.preset or group.preset else [study.set]
    layers += [] if arm.preset else [group.set]
    layers.append(arm.set)
    try:
        settings = preset(named)
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from None
    for changes in layers:
        settings = change(settings, changes, source)
    if study.cut and study.cut.epochs is not None:
        shorter = kind_named(settings.model_kind).shorten(settings, study.cut.epochs)
        settings = settings.replace(shorter, source)
    return settings


def change(settings: Settings, changes: Mapping[str, Any], source: str) -> Settings:
    """Settings with some changed, ``width`` and ``depth`` (of equally wide layers) among them."""
    rest = {key: value for key, value in changes.items() if key not in ("width", "depth")}
    if "width" in changes or "depth" in changes:
        if "hidden" in rest or "network.hidden" in rest:
            raise UsageError(f"{source}: width and depth say what hidden is; leave one out")
        hidden = settings.network.hidden
        width = _whole(changes.get("width", hidden[0]), "width", source)
        depth = _whole(changes.get("depth", len(hidden)), "depth", source)
        rest["network.hidden"] = [width] * depth
    return settings.replace(rest, source)


def _whole(value: Any, name: str, source: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{source}: {name} = {value!r}: give a whole number of at least 1")
    return value


def _check_names(study: Study, arms: Mapping[str, ResolvedArm]) -> None:
    """Whether everything in the file that names an arm names one that is there."""
    groups = [group.name for group in study.groups]
    data = [entry.name for entry in study.data]
    if len(set(data)) < len(data):
        raise UsageError(f"study {study.name}: two data of one name")
    if len(set(groups)) < len(groups):
        raise UsageError(f"study {study.name}: two groups of one name")
    if study.cut:
        return  # its file was looked at before it was cut
    checks: list[tuple[str, str, list[str]]] = []
    if study.base:
        checks.append(("base", study.base, [*arms]))
    checks += [("quick.groups", name, groups) for name in study.quick.groups]
    checks += [("quick.skip", name, [*arms, *groups]) for name in study.quick.skip]
    checks += [("quick.data", name, data) for name in study.quick.data]
    for claim in study.claims:
        location = f"claim {claim.id}"
        for check in claim.checks:
            for entry in (*check.arms, *check.than):
                checks += [
                    (location, name, [*arms, *groups, *BASELINES])
                    for name in entry.split("|")
                    if "*" not in name
                ]
            if check.data and "*" not in check.data:
                checks.append((location, check.data, data))
    for location, name, known in checks:
        if name not in known and not any(fnmatchcase(other, name) for other in known):
            raise UsageError(f"study {study.name}: {location}: no {name!r}{nearest(name, known)}")
