"""The endpoints of feedback, which exist only if a store is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Path, Query
from pydantic import AfterValidator
from starlette.responses import Response

from ...data import Scale
from ...feedback.event import MAX_TEXT
from ..problems import JSON, ProblemError, dumps
from ..web.slashes import with_slashes
from . import schema
from .service import FeedbackService

ROUTES = ("/v1/feedback", "/v1/users/{user}")
User = Annotated[str, Path(max_length=MAX_TEXT), AfterValidator(with_slashes)]


class Asked(Protocol):
    """What of an engine is used here."""

    name: str
    scale: Scale

    def trained(self, user: str) -> list[dict[str, Any]]:
        """Return a user's training ratings; empty for other users."""


def add_routes(
    app: FastAPI,
    service: FeedbackService,
    engine: Callable[[], Asked],
    count: Callable[[int, int], None],
    errors: dict[int | str, dict[str, Any]],
) -> None:
    """Add the endpoints to an app; ``count`` gets the numbers of new and of repeated events."""

    @app.post("/v1/feedback", response_model=schema.FeedbackAnswer, responses=errors)
    async def feedback(request: schema.FeedbackRequest) -> Response:
        """Store events of users. The response is sent once they are on disk."""
        stored, duplicates = await service.take(request.events, engine().scale)
        count(stored, duplicates)
        return Response(dumps({"stored": stored, "duplicates": duplicates}), media_type=JSON)

    @app.get("/v1/users/{user}", response_model=schema.Person, responses=errors)
    async def person(user: User, query: Annotated[schema.PageOf, Query()]) -> Response:
        """Return everything stored about a user."""
        now = engine()

        def work() -> bytes:
            events, more = service.export(user, query.after, query.limit)
            erased = service.of_person(user).erased
            trained = [] if query.after else now.trained(user)
            if not (events or trained or erased or query.after):
                raise ProblemError(404, f"nothing is kept of a user {user!r}")
            answer = {"events": events, "next": more, "trained": trained, "erased": erased}
            return dumps({"user": user, **answer, "model": now.name})

        return Response(await asyncio.to_thread(work), media_type=JSON)

    @app.delete("/v1/users/{user}", response_model=schema.Erased, responses=errors)
    async def erase(user: User) -> Response:
        """Delete everything stored about a user, and stop using their training ratings."""
        now = engine()

        def work() -> bytes:
            erased = service.erase(user)
            return dumps({"user": user, "events": erased, "trained": len(now.trained(user))})

        return Response(await asyncio.to_thread(work), media_type=JSON)
