"""``WorkQueue``: long computations, one at a time, outside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from ..problems import JSON, ProblemError, dumps

_WAITING = 64
"""Largest number of queued long requests; further ones get 429."""


class WorkQueue:
    """Runs short requests at once, and long ones one at a time in a thread."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def __call__(
        self, work: Callable[[], dict[str, Any] | bytes], *, quick: bool
    ) -> Response:
        """Return the result of ``work`` as a JSON response.

        Args:
            work: Returns the content, or its JSON.
            quick: Whether it takes at most a few milliseconds, and need not be queued.

        Raises:
            ProblemError: 429, too many long requests wait.
        """

        def encoded() -> bytes:
            content = work()
            return content if isinstance(content, bytes) else dumps(content)

        if quick:
            return Response(encoded(), media_type=JSON)
        if self._waiting >= _WAITING:
            raise ProblemError(
                429, "too many long requests at once; try again", headers={"retry-after": "1"}
            )
        self._waiting += 1
        try:
            async with self._turn:
                content = await asyncio.to_thread(encoded)
        finally:
            self._waiting -= 1
        return Response(content, media_type=JSON)
