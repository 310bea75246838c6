"""The models being served, and their replacement without downtime."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from ..data.values.ids import canonical
from ..errors import MatineeError, UsageError
from ..models import identity
from ._engine import Engine
from ._metrics import Metrics
from ._settings import ServeSettings

_log = logging.getLogger("matinee.serve")


class Holder:
    """Holds the engine. A request reads it once, so that a reload never affects it midway.

    Attributes:
        engine: The engine for new requests.
        other: The holder of the model beside this one, whose scale a new model must have.
    """

    other: Holder | None = None

    def __init__(self, settings: ServeSettings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self.engine = Engine(settings)
        self._loading = asyncio.Lock()
        self._refused = ""

    async def reload(self, *, again: bool = False) -> bool:
        """Reload the folder, while the old model continues to serve.

        If the folder cannot be loaded, the old model stays, and False is returned.

        Args:
            again: Whether the folder was refused before: a further refusal is neither counted
                nor logged.
        """
        async with self._loading:
            began = time.perf_counter()
            try:
                engine = await asyncio.to_thread(Engine, self._settings)
                if self.other is not None:
                    _check_scales(self._settings.model, engine, self.other.engine)
            except Exception as error:  # on any error the old model stays
                if again:
                    return False
                self._metrics.reloaded(False)
                known = isinstance(error, MatineeError | OSError)
                detail = str(error) if known else repr(error)
                _log.error(
                    "the model was not loaded; the old one stays in service: %s",
                    detail,
                    exc_info=None if known else error,
                )
                return False
            old, new = self.engine.scale, engine.scale
            if self._settings.feedback is not None and old != new and old.low < old.high:
                _log.warning(
                    "model %s rates from %g to %g, and the one before from %g to %g: ratings of "
                    "feedback are read on the new scale",
                    *(engine.name, new.low, new.high, old.low, old.high),
                )
            self.engine = engine
            self._metrics.reloaded(True)
            _log.info("model %s loaded in %.1f s", engine.name, time.perf_counter() - began)
            return True

    async def watch(self, seconds: float) -> None:
        """Check the folder periodically, and load a new model."""
        while True:
            await asyncio.sleep(seconds)
            try:
                name = await asyncio.to_thread(identity, self._settings.model)
            except OSError:
                continue  # being replaced or missing: the loaded model continues
            # A folder that is copied file by file may be complete a moment later: try again, but
            # log the refusal once.
            if name == self.engine.name:
                self._refused = ""
            elif name != self._refused:
                self._refused = "" if await self.reload() else name
            else:
                await self.reload(again=True)


def _check_scales(folder: Path, engine: Engine, other: Engine) -> None:
    one, two = other.scale, engine.scale
    if (one.low, one.high) != (two.low, two.high):
        raise UsageError(
            f"{folder}: rates from {two.low:g} to {two.high:g}, and the model beside it from "
            f"{one.low:g} to {one.high:g}; serve models of one scale"
        )


class Served:
    """The model being served, and a second one that serves a share of the users.

    Raises:
        UsageError: The two models have different scales.
    """

    def __init__(self, settings: ServeSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._holders = [Holder(settings, metrics)]
        if settings.beside is not None:
            beside = Holder(settings.model_copy(update={"model": settings.beside}), metrics)
            self._holders.append(beside)
            _check_scales(settings.beside, beside.engine, self.engine)
            self._holders[0].other, beside.other = beside, self._holders[0]

    @property
    def engine(self) -> Engine:
        """The first model, which serves every request without a user id."""
        return self._holders[0].engine

    @property
    def beside(self) -> Engine | None:
        """The second model."""
        return self._holders[1].engine if len(self._holders) > 1 else None

    def now(self) -> Callable[[str | None], Engine]:
        """Return which of the models loaded now serves a user, or somebody without an id.

        It is always the same for one share and seed. A request calls this once, so that a reload
        does not affect it midway.
        """
        first, second = self.engine, self.beside
        share, seed = self._settings.share, self._settings.share_seed

        def of_user(user: str | None) -> Engine:
            if user is None or second is None or not drawn(canonical(user) or user, share, seed):
                return first
            return second

        return of_user

    async def reload(self) -> None:
        """Load the folders again; see ``Holder.reload``."""
        for holder in self._holders:
            await holder.reload()

    async def watch(self, seconds: float) -> None:
        """Check the folders periodically, and load new models."""
        await asyncio.gather(*(holder.watch(seconds) for holder in self._holders))


def drawn(user: str, share: float, seed: int) -> bool:
    """Return whether a user is in a share of all users, by a hash of the id and the seed."""
    digest = hashlib.blake2b(f"{seed}:{user}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2.0**64
