"""The HTTP routes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, Field
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from .._version import __version__
from . import _schema as schema
from ._describe import ERRORS, describe
from ._guard import Guard
from ._holder import Served
from ._metrics import CONTENT_TYPE, Metrics
from ._ratings import check_people, is_quick, is_quick_list
from ._settings import ServeSettings
from .feedback.history import Person
from .feedback.routes import ROUTES as FEEDBACK_ROUTES, add_routes
from .feedback.schema import Strict
from .feedback.service import FeedbackService
from .problems import JSON, ProblemError, dumps, problem, validation_problems
from .web.assets import PAGES, Assets, assets
from .web.compress import Compressed
from .web.head import Head
from .web.routes import send, show_pages, wants_page
from .web.slashes import with_slashes
from .web.work_queue import WorkQueue

ROUTES = (
    "/v1/recommend",
    "/v1/recommend/batch",
    "/v1/predict",
    "/v1/profile",
    "/v1/surprise",
    "/v1/users/{user}/recommendations",
    *FEEDBACK_ROUTES,
    "/v1/items",
    "/v1/items/match",
    "/v1/items/{item}",
    "/v1/items/{item}/similar",
    "/v1/map",
    "/v1/model",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/static/{path:path}",
    *PAGES,
)
Name = Annotated[str, Path(max_length=schema.MAX_TEXT), AfterValidator(with_slashes)]


class _Search(Strict):
    q: Annotated[str | None, Field(max_length=schema.MAX_TEXT)] = None
    limit: Annotated[int, Field(ge=1, le=schema.MAX_LIMIT)] = 20


class _ForUser(Strict):
    k: Annotated[int, Field(ge=1, le=schema.MAX_K)] = 10
    diversity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    shrink: bool = True
    love: Annotated[float, Field(ge=0, le=schema.MAX_LOVE, allow_inf_nan=False)] | None = None
    personal: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] = 0.0
    why: Annotated[int, Field(ge=0, le=schema.MAX_WHY)] = 3
    genres: list[str] = Field(default=[], max_length=schema.MAX_TEXT)
    exclude_genres: list[str] = Field(default=[], max_length=schema.MAX_TEXT)
    year_from: Annotated[int, Field(ge=-schema.MAX_YEAR, le=schema.MAX_YEAR)] | None = None
    year_to: Annotated[int, Field(ge=-schema.MAX_YEAR, le=schema.MAX_YEAR)] | None = None


class _Limited(Strict):
    k: Annotated[int, Field(ge=1, le=schema.MAX_LIMIT)] = 10


class _MapSize(Strict):
    limit: Annotated[int, Field(ge=1, le=20_000)] = 5000


def create_app(
    settings: ServeSettings,
    *,
    metrics: Metrics | None = None,
    asked: threading.Event | None = None,
) -> Guard:
    """Return the server as an ASGI app.

    Args:
        settings: What to serve and how.
        metrics: Counters shared between workers; by default this process's own.
        asked: Set if SIGHUP arrived before the app started: it then loads the model again.

    Raises:
        ModelFileError: No model folder, or a damaged one.
        FeedbackError: The store of feedback cannot be opened.
    """
    counters = metrics or Metrics(ROUTES)
    if metrics is None:
        counters.start(0)
    served = Served(settings, counters)
    kept = None
    if settings.feedback is not None:
        kept = FeedbackService(settings.feedback.get_secret_value(), settings.feedback_days)
    app = FastAPI(
        title="Matinee",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(served, settings, kept, asked),
        openapi_url="/openapi.json",
        redirect_slashes=False,  # a redirect would use the Host header of the request
        servers=[{"url": settings.root_path}] if settings.root_path else None,
    )
    files = assets(settings.root_path)
    app.add_middleware(Compressed)
    cors: dict[str, Any] | None = None
    if settings.cors:
        cors = {
            "allow_origins": settings.cors,
            "allow_methods": ["GET", "POST"] + ["DELETE"] * (kept is not None),
            "allow_headers": ["authorization", "content-type", "x-api-key"],
        }
        app.add_middleware(CORSMiddleware, **cors)
    app.add_middleware(Head)
    _handle_errors(app, files)
    queue = WorkQueue()
    _answer(app, served, queue, kept)
    if kept is not None:
        add_routes(app, kept, lambda: served.engine, counters.took, ERRORS)
    _look_up(app, served, queue, settings.share)
    _operate(app, served, counters)
    show_pages(app, files)
    describe(app, keyed=settings.api_key is not None)
    return Guard(app, settings, counters, cors)


def _lifespan(
    served: Served,
    settings: ServeSettings,
    kept: FeedbackService | None,
    asked: threading.Event | None,
) -> Any:
    @contextlib.asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[Any]]()

        def reload() -> None:
            task = loop.create_task(served.reload())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        signals = (
            hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread()
        )
        if signals:
            before = signal.getsignal(signal.SIGHUP)
            loop.add_signal_handler(signal.SIGHUP, reload)
            if asked is not None and asked.is_set():
                reload()
        if settings.watch is not None:
            tasks.add(loop.create_task(served.watch(settings.watch)))
        if kept is not None:
            kept.start()
        app.openapi()  # kept by the app: a tenth of a second that no request waits for
        try:
            yield
        finally:
            if signals:
                loop.remove_signal_handler(signal.SIGHUP)
                signal.signal(signal.SIGHUP, before)
            for task in tasks:
                task.cancel()
            if kept is not None:
                await asyncio.to_thread(kept.close)

    return life


def _handle_errors(app: FastAPI, files: Assets) -> None:
    @app.exception_handler(ProblemError)
    async def _problem_error(_: Request, error: ProblemError) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        details = error.errors()
        if details and details[0]["type"] == "json_invalid":
            reason = details[0].get("ctx", {}).get("error", "")
            at = details[0]["loc"][-1]
            location = f" at character {at}" if isinstance(at, int) else ""
            return problem(400, f"the body is not valid JSON: {reason}{location}")
        takes = request.scope["route"].dependant
        kinds = [each.field_info.annotation for each in takes.body_params + takes.query_params]
        errors = validation_problems(list(details), kinds)
        first = errors[0]
        field = re.sub(r"/(\d+)", r"[\1]", first["pointer"]).lstrip("/").replace("/", ".")
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        detail = f"{field or 'the body'}: {first['detail']}{more}"
        return problem(422, detail, errors)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        detail, headers = str(error.detail), dict(error.headers or {})
        if error.status_code == 404 and wants_page(request):
            return send(request, files.files.get("404.html"), status=404)
        if error.status_code == 404:
            path = with_slashes(request.url.path)
            detail = f"there is nothing at {path!r}; GET /openapi.json lists what is"
        elif error.status_code == 405:
            detail = f"{request.method} is not for {request.url.path!r}"
            # The error has the methods of one of the path's routes.
            path = getattr(request.scope.get("route"), "path", request.url.path)
            routes = [each for each in app.routes if getattr(each, "path", None) == path]
            methods = {name for each in routes for name in getattr(each, "methods", None) or ()}
            if "GET" in methods:
                methods.add("HEAD")
            headers = {"allow": ", ".join(sorted(methods))}
        elif error.status_code == 400:
            detail = "the body is not valid JSON"
        return problem(error.status_code, detail, headers=headers)

    @app.exception_handler(Exception)
    async def _fault(_: Request, error: Exception) -> Response:
        # The guard logs the error.
        return problem(500, "an error in the server; it has been logged")


def _answer(app: FastAPI, served: Served, queue: WorkQueue, kept: FeedbackService | None) -> None:
    """The endpoints about a user."""

    @app.post("/v1/recommend", response_model=schema.Recommendations, responses=ERRORS)
    async def recommend(request: schema.RecommendRequest) -> Response:
        """Recommend items to a new user."""
        engine = served.now()(request.user)
        return await queue(
            lambda: engine.recommend(request), quick=is_quick(request, engine.catalogue)
        )

    @app.post("/v1/recommend/batch", response_model=schema.ManyRecommendations, responses=ERRORS)
    async def recommend_many(request: schema.ManyRequest) -> Response:
        """Recommend items to many users, new or known."""
        of_user = served.now()

        def work() -> bytes:
            check_people(of_user(None).catalogue, request.people)
            # One user at a time: encoding all at once would block other requests.
            people = [dumps(one(at, each)) for at, each in enumerate(request.people)]
            return b'{"people":[' + b",".join(people) + b"]}"

        def one(at: int, person: schema.OnePerson) -> dict[str, Any]:
            user = person.user
            engine = of_user(user)
            try:
                if person.ratings:
                    return engine.recommend(person)
                assert user is not None
                known = engine.person(user, None if kept is None else kept.of_person(user))
                return engine.recommend_user(known, person)
            except ProblemError as error:
                raise error.within(f"people[{at}]", f"/people/{at}") from None

        return await queue(work, quick=False)

    @app.post("/v1/predict", response_model=schema.Predictions, responses=ERRORS)
    async def predict(request: schema.PredictRequest) -> Response:
        """Predict a new user's ratings of some items."""
        engine = served.engine
        return await queue(
            lambda: engine.predict(request), quick=is_quick(request, engine.catalogue)
        )

    @app.post("/v1/profile", response_model=schema.Profile, responses=ERRORS)
    async def profile(request: schema.ProfileRequest) -> Response:
        """Return a user's taste by genre and decade."""
        engine = served.engine
        return await queue(
            lambda: engine.profile(request), quick=is_quick(request, engine.catalogue)
        )

    @app.post("/v1/surprise", response_model=schema.Questions, responses=ERRORS)
    async def surprise(request: schema.SurpriseRequest) -> Response:
        """Return items whose rating would change the predictions most."""
        engine = served.engine
        return await queue(lambda: engine.surprise(request), quick=False)

    @app.get(
        "/v1/users/{user}/recommendations",
        response_model=schema.Recommendations,
        responses=ERRORS,
    )
    async def for_user(user: Name, query: Annotated[_ForUser, Query()]) -> Response:
        """Recommend items to a user of the training data, or one known by feedback."""
        engine = served.now()(user)
        range_of_years = query.year_from, query.year_to
        years = None if range_of_years == (None, None) else range_of_years

        asked = query.model_dump(exclude={"year_from", "year_to"})
        about = schema.RecommendRequest.model_construct(ratings=[], years=years, **asked)

        def known() -> Person:
            return engine.person(user, None if kept is None else kept.of_person(user))

        if kept is not None and not kept.is_local:
            return await queue(lambda: engine.recommend_user(known(), about), quick=False)
        person = known()
        quick = is_quick_list(person, engine.catalogue, about)
        return await queue(lambda: engine.recommend_user(person, about), quick=quick)


def _look_up(app: FastAPI, served: Served, queue: WorkQueue, share: float) -> None:
    """The endpoints about items and the model."""

    @app.get("/v1/items", response_model=schema.Items, responses=ERRORS)
    async def items(query: Annotated[_Search, Query()]) -> Response:
        """Find items by an approximate title; without one, the most rated."""
        engine = served.engine

        def work() -> dict[str, Any]:
            matches = engine.catalogue.search(query.q, query.limit)
            return {"items": matches, "model": engine.name}

        return await queue(work, quick=query.q is None)

    @app.post("/v1/items/match", response_model=schema.Matches, responses=ERRORS)
    async def match(request: schema.MatchRequest) -> Response:
        """Return the items matching approximate titles, such as those of an export."""
        engine = served.engine
        return await queue(lambda: engine.match(request), quick=False)

    @app.get("/v1/items/{item}", response_model=schema.OneItem, responses=ERRORS)
    async def item(item: Name) -> Response:
        """One item."""
        engine = served.engine
        code = engine.catalogue.code(item)
        position = engine.catalogue.position(code)
        content = {"item": engine.catalogue.item(code), "position": position}
        return Response(dumps({**content, "model": engine.name}), media_type=JSON)

    @app.get("/v1/items/{item}/similar", response_model=schema.SimilarItems, responses=ERRORS)
    async def similar(item: Name, query: Annotated[_Limited, Query()]) -> Response:
        """Return the items with the nearest learned vectors."""
        engine = served.engine
        code = engine.catalogue.code(item)

        def work() -> dict[str, Any]:
            near = engine.catalogue.similar(code, query.k)
            return {"item": engine.catalogue.item(code), "similar": near, "model": engine.name}

        return await queue(work, quick=False)

    @app.get("/v1/map", response_model=schema.Map, responses=ERRORS)
    async def map_(query: Annotated[_MapSize, Query()]) -> Response:
        """Return every item as a point in the plane."""
        engine = served.engine
        return await queue(
            lambda: {**engine.catalogue.map(query.limit), "model": engine.name}, quick=False
        )

    @app.get("/v1/model", response_model=schema.Card, responses=ERRORS)
    async def model() -> Response:
        """Return the model card."""
        beside = served.beside
        more = {} if beside is None else {"beside": {"model": beside.name, "share": share}}
        return Response(dumps({**served.engine.card, **more}), media_type=JSON)


def _operate(app: FastAPI, served: Served, metrics: Metrics) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return Response(b'{"status":"ok"}', media_type=JSON)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return Response(dumps({"status": "ready", "model": served.engine.name}), media_type=JSON)

    @app.get("/metrics", include_in_schema=False)
    async def metrics_() -> Response:
        engine = served.engine
        text = metrics.text(engine.name, engine.card["kind"])
        return Response(text, media_type=CONTENT_TYPE)
