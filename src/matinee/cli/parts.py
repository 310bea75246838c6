"""The training, validation and test parts of a command, from its options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.atomic import is_stream
from ..errors import DataError, UsageError
from .output import note
from .show.reading import reading
from .source import load_arguments

if TYPE_CHECKING:
    from ..data import Ratings
    from ..train import ProcessGroup, ShardedRatings
    from .source import Reading


@dataclass(frozen=True)
class Parts:
    """Ratings to train on, and to score by.

    Attributes:
        train: Ratings to train on.
        test: Ratings to score by, or None.
        given: Histories of the test users, if they are not part of ``train``.
        protocol: How the parts were divided, JSON-serialisable; None without a test part.
        source: Where the ratings were, so that they can be found and divided again.
        sharded: The ratings to train on of all processes, if ``train`` are those of this one.
    """

    train: Ratings
    test: Ratings | None = None
    given: Ratings | None = None
    protocol: dict[str, Any] | None = None
    source: str | None = None
    sharded: ShardedRatings | None = None

    @property
    def size(self) -> str:
        """The size and the name of the training part, in a few words."""
        noun = "interactions" if self.train.implicit else "ratings"
        if self.sharded is None:
            size, (users, items) = len(self.train), self.train.sides
        else:
            size, users, items = self.sharded.size, self.train.n_users, self.train.n_items
        return f"{size:,} {noun} by {users:,} users of {items:,} items ({self.train.name})"

    def describe(self) -> str:
        """Return the protocol in a few words."""
        from ..data.splits.rules import rule_of

        protocol = self.protocol or {}
        match protocol.get("by"):
            case None:
                return "no test part"
            case "file":
                return f"test set {protocol['test']}"
            case "name":
                return f"the split {protocol['name']}"
        held_out = rule_of(protocol["by"]).held_out(protocol["holdout"])
        return f"{held_out}, with seed {protocol['seed']}"


def read_parts(
    source: str | None,
    read: Reading,
    *,
    test: str | None,
    holdout: float | None,
    by: str | None,
    seed: int,
    given: float | None = None,
) -> Parts:
    """Read and divide.

    A source that is a split (``ml-100k/u1``, or a folder with a train and a test part) has its
    own test part; there is none if ``read`` has the source (``--sql``). The pairs of ``test``
    are left out of training.

    Raises:
        UsageError: Options that do not go together, or no such rule.
        DataError: A source cannot be read, or a part would be empty.
    """
    from ..data import split_parts
    from ..data.splits.named import is_named_split
    from ..data.splits.rule import Division
    from ..data.splits.rules import RULES, rule_of

    if test is not None and holdout is not None:
        raise UsageError("--test and --holdout both set the test part; give one of them")
    if by is not None and holdout is None:
        raise UsageError("--by is the rule of --holdout; add --holdout 0.2")
    rule = rule_of(by or next(iter(RULES)))
    if given is not None and not rule.holds_out_people:
        raise UsageError("--given is the share of a held-out person's ratings; add --by people")
    if source is not None and test is None and holdout is None and is_named_split(source):
        return read_split(source, read)
    ratings = read(source)
    if test is not None:
        return _without_test(ratings, test, read, source)
    if holdout is None:
        return Parts(ratings, source=source)
    protocol: dict[str, Any] = {"by": rule.name, "holdout": holdout, "seed": seed}
    if rule.holds_out_people:
        protocol["given"] = Division.given if given is None else given
    parts = split_parts(ratings, **protocol)
    if read.steps:
        protocol["reading"] = read.steps
    return Parts(parts.train, parts.test, parts.given, protocol, source)


def _without_test(ratings: Ratings, test: str, read: Reading, source: str | None) -> Parts:
    """Read a test set, and leave its pairs out of the ratings."""
    from ..data import subtract

    train, held, removed = subtract(ratings, replace(_for_scoring(read)(test), name=test))
    if removed:
        note(
            f"matinee: {removed:,} ratings of {ratings.name} are in the test set; "
            f"training on the other {len(train):,}"
        )
    protocol: dict[str, Any] = {"by": "file", "test": test, "removed": removed}
    if steps := {name: value for name, value in read.steps.items() if name != "k_core"}:
        protocol["reading"] = steps
    return Parts(train, held, None, protocol, source)


def read_shard(
    source: str | None, read: Reading, group: ProcessGroup, *, test: str | None
) -> Parts:
    """Read this process's ratings, and in the first process the test ratings.

    Raises:
        UsageError: No source, or options that need all ratings in one process.
        DataError: A source cannot be read or divided.
    """
    from ..train import load_shard

    if source is None:
        raise UsageError("--shard divides files among the processes; name a SOURCE")
    sharded = load_shard(source, group, **load_arguments(read.options))
    for text in sharded.own.notes:
        note(f"matinee: {sharded.own.name}: {text}")
    protocol = held = None
    if test is not None:
        protocol = {"by": "file", "test": test, "removed": 0}
        if read.steps:
            protocol["reading"] = read.steps
        held = replace(_for_scoring(read)(test), name=test) if group.first else None
    return Parts(sharded.own, held, None, protocol, source, sharded)


def read_test(source: str, read: Reading, *, given: str | None) -> tuple[Ratings, Ratings | None]:
    """Read the test ratings and the histories of their users.

    For a split, its test part, and the histories of the test users if it has them.
    """
    from ..data.splits.named import is_named_split

    if not is_named_split(source):
        read = _for_scoring(read)
        test = replace(read(source), name=source)
        return test, None if given is None else read(given)
    parts = read_split(source, read)
    assert parts.test is not None
    return parts.test, parts.given if given is None else read(given)


def _for_scoring(read: Reading) -> Reading:
    """Return a reader that takes ratings of one user or one item, which are enough to score by."""
    return replace(read, options={**read.options, "allow_single": True})


def find_test(
    record: dict[str, Any], fingerprint: str, read: Reading
) -> tuple[Ratings, Ratings | None] | None:
    """Find the test ratings of a model again, and the histories of their users.

    Returns:
        None for a model trained on everything, on a query's result, or from a pipe.

    Raises:
        DataError: Its source cannot be read, or has changed.
    """
    split = record.get("split") or {}
    source = record.get("training", {}).get("source")
    if any(is_stream(Path(each)) for each in (source, split.get("test")) if each):
        return None
    match split.get("by"):
        case None:
            return None
        case "name" | "file":
            name = split["name" if split["by"] == "name" else "test"]
            return read_test(name, read.with_steps(name, split.get("reading", {})), given=None)
    if source is None:
        return None
    from ..data import fingerprint as name_of, split_parts

    steps = split.get("reading", {})
    by = {name: value for name, value in split.items() if name != "reading"}
    parts = split_parts(read.with_steps(source, steps)(source), **by)
    if name_of(parts.train) != fingerprint:
        raise DataError(
            f"{source}: dividing it again does not give the ratings the model was trained on; it "
            "changed, or was read by other options. Give them here too, or name the test ratings "
            "with --test"
        )
    return parts.test, parts.given


def read_split(source: str, read: Reading) -> Parts:
    """Return the parts of a split that has a name, or of a folder with a train and a test part.

    Raises:
        UsageError: An option that a split cannot be read with.
        DataError: The split cannot be read.
    """
    from ..data import named_split
    from ..data.splits.named import given_part

    for option in ("k_core", "sql", "database"):
        if read.options.get(option) is not None:
            raise UsageError(
                f"--{option.replace('_', '-')}: {source} is a split, of which every part is read; "
                "name its files to read them otherwise"
            )
    options = _of_a_part(read)
    with reading() as report:
        train, test = named_split(source, report=report, **options)
    given = given_part(source, **options)
    for part in (train, test, *(() if given is None else (given,))):
        for text in part.notes:
            note(f"matinee: {part.name}: {text}")
    protocol: dict[str, Any] = {"by": "name", "name": source}
    if read.steps:
        protocol["reading"] = read.steps
    at_least = read.options.get("relevant")
    if at_least is not None:
        train, test = train.liked(at_least), test.liked(at_least)
        given = None if given is None else given.liked(at_least)
    test = replace(test, name=f"{source} test")
    return Parts(replace(train, name=source), test, given, protocol, source)


def _of_a_part(read: Reading) -> dict[str, Any]:
    """Return the options that are set, as arguments of ``load`` for a part of a split."""
    options = load_arguments(read.options)
    own = ("relevant", "allow_single")
    return {name: value for name, value in options.items() if name not in own and value != ()}
