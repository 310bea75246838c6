"""``ShardedRatings``: ratings of which every process has those of some users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Array
from ...base.memory import chunks, large_empty
from ...data import Ratings, fingerprint
from ..distributed import ProcessGroup
from .shard import Shard


@dataclass(frozen=True, eq=False)
class ShardedRatings:
    """Ratings of which every process has those of consecutive users.

    Attributes:
        own: The ratings of this process's users, ordered by user and item. Vocabularies and scale
            are those of all ratings.
        shard: The processes, and this one's users.
        size: The number of ratings of all processes.
    """

    own: Ratings
    shard: Shard
    size: int

    def __len__(self) -> int:
        return self.size

    def fingerprint(self) -> str:
        """Return ``data.fingerprint`` of all ratings; to be called in every process."""
        group, digest = self.shard.group, fingerprint(self.own)
        sums, folds = (
            group.gather(np.array([int(half, 16)], dtype=np.uint64).view(np.int64)).view(np.uint64)
            for half in (digest[:16], digest[16:])
        )
        total = np.sum(sums, dtype=np.uint64)  # modulo 2^64
        return f"{int(total):016x}{int(np.bitwise_xor.reduce(folds)):016x}"

    def collected(self) -> Ratings | None:
        """Return all ratings in the first process, None in the others.

        To be called in every process. Large columns are in temporary files, as when one process
        reads all ratings.
        """
        own, group = self.own, self.shard.group
        columns = columns_of(own)
        whole = [large_empty(self.size, each.dtype) for each in columns] if group.first else []
        at = 0
        for parts in streamed(group, columns):
            for column, part in zip(whole, parts, strict=False):
                column[at : at + len(part)] = part
            at += len(parts[0])
        return with_columns(own, whole) if group.first else None


def columns_of(ratings: Ratings) -> list[Array]:
    """Return users, items, values and, if known, times."""
    columns: list[Array] = [ratings.users, ratings.items, ratings.values]
    return columns if ratings.times is None else [*columns, ratings.times]


def with_columns(ratings: Ratings, columns: Sequence[Array]) -> Ratings:
    """Return ratings with other columns, which are as in ``columns_of``."""
    users, items, values, *times = columns
    return replace(
        ratings, users=users, items=items, values=values, times=times[0] if times else None
    )


def streamed(group: ProcessGroup, columns: Sequence[Array]) -> Iterator[list[Array]]:
    """Send the columns of each process to all, a million rows at a time, in rank order.

    Args:
        group: The processes, all of which must consume this.
        columns: This process's columns, of one length; the same dtypes in every process.
    """
    for rank, size in enumerate(group.gather(np.array([len(columns[0])]))):
        for some in chunks(int(size)):
            if rank == group.rank:
                parts = [column[some].copy() for column in columns]
            else:
                parts = [np.empty(some.stop - some.start, each.dtype) for each in columns]
            for part in parts:
                group.broadcast_from(rank, part)
            yield parts
