"""What torchrun tells each of the processes it starts. Light, for whoever asks before torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

from ..errors import UsageError

_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True)
class Launch:
    """A process among those that train together; by default, alone.

    Attributes:
        rank: Its number, from 0.
        size: How many there are.
        local_rank: Its number on its machine, from 0.
        local_size: How many there are on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @classmethod
    def of_environment(cls) -> Self:
        """What torchrun's environment says; alone where it is not there.

        Raises:
            UsageError: The environment is not torchrun's.
        """
        told = [os.environ.get(name) for name in _NAMES]
        if None in told or "MASTER_ADDR" not in os.environ:
            return cls()
        try:
            return cls(*(int(text or "") for text in told))
        except ValueError:
            shown = ", ".join(f"{name}={text!r}" for name, text in zip(_NAMES, told, strict=True))
            raise UsageError(f"{shown}: not whole numbers; start with torchrun") from None

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this is the process that shows, writes and saves."""
        return self.rank == 0
