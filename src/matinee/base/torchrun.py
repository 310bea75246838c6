"""The rank and size of a distributed run from torchrun's environment, without importing torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

from ..errors import UsageError

_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True)
class Launch:
    """A process of a distributed run; by default, a run of one process.

    Attributes:
        rank: Rank of this process, from 0.
        size: Number of processes (world size).
        local_rank: Rank on this machine, from 0.
        local_size: Number of processes on this machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @classmethod
    def of_environment(cls) -> Self:
        """The process that torchrun's environment variables describe; without them, a single one.

        Raises:
            UsageError: A variable is not a whole number.
        """
        values = [os.environ.get(name) for name in _NAMES]
        if None in values or "MASTER_ADDR" not in os.environ:
            return cls()
        try:
            return cls(*(int(text or "") for text in values))
        except ValueError:
            shown = ", ".join(f"{name}={text!r}" for name, text in zip(_NAMES, values, strict=True))
            raise UsageError(f"{shown}: not whole numbers; start with torchrun") from None

    @property
    def alone(self) -> bool:
        """Whether it is the only process."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this is the process (rank 0) that prints and writes."""
        return self.rank == 0
