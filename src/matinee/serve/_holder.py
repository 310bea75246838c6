"""The model being served, and its replacement without downtime."""

from __future__ import annotations

import asyncio
import logging
import time

from ..errors import MatineeError
from ._engine import Engine, identity
from ._metrics import Metrics
from ._settings import ServeSettings

_log = logging.getLogger("matinee.serve")


class Holder:
    """Holds the engine. A request reads it once, so that a reload never affects it midway.

    Args:
        settings: The model folder and the limits.
        metrics: The counters.
        engine: The first engine; loaded from the folder by default.

    Attributes:
        engine: The engine for new requests.
    """

    def __init__(
        self, settings: ServeSettings, metrics: Metrics, engine: Engine | None = None
    ) -> None:
        self._settings, self._metrics = settings, metrics
        self.engine = engine or Engine(settings)
        self._loading = asyncio.Lock()
        self._refused = ""

    async def reload(self) -> bool:
        """Load the folder again, while the old model continues to answer.

        If the folder cannot be loaded, the old model stays.

        Returns:
            Whether the folder's model is now served.
        """
        async with self._loading:
            began = time.perf_counter()
            try:
                engine = await asyncio.to_thread(Engine, self._settings)
            except Exception as error:  # whatever the error, the old model stays
                self._metrics.reloaded(False)
                known = isinstance(error, MatineeError | OSError)
                what = str(error) if known else repr(error)
                _log.error(
                    "the model is not taken up; the old one goes on: %s",
                    what,
                    exc_info=None if known else error,
                )
                return False
            self.engine = engine
            self._metrics.reloaded(True)
            _log.info("model %s taken up in %.1f s", engine.name, time.perf_counter() - began)
            return True

    async def watch(self, seconds: float) -> None:
        """Check the folder periodically, and load a new model."""
        while True:
            await asyncio.sleep(seconds)
            try:
                name = await asyncio.to_thread(identity, self._settings.model)
            except OSError:
                continue  # being replaced or missing: the loaded model continues
            # A folder that is copied file by file may be whole a moment later: try, but say so
            # only once.
            if name == self.engine.name:
                self._refused = ""
            elif name != self._refused:
                self._refused = "" if await self.reload() else name
            else:
                await self._again()

    async def _again(self) -> None:
        async with self._loading:
            try:
                self.engine = await asyncio.to_thread(Engine, self._settings)
            except Exception:  # reported when it was first refused
                return
            self._metrics.reloaded(True)
            _log.info("model %s taken up", self.engine.name)
