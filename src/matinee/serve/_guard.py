"""ASGI middleware: limits, the API key, headers, metrics and unhandled errors."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware

from ._metrics import Metrics
from ._settings import ServeSettings
from .problems import JSON, ProblemError, problem
from .web.inline import POLICY
from .web.slashes import keep_slashes

Scope = dict[str, Any]
_log = logging.getLogger("matinee.serve")

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every response that does not have its own."""
_PARTS = 20_000
"""Largest number of lists and objects in a body, twice that of any valid request."""


class Guard:
    """ASGI middleware around the whole app.

    Bodies are read here, with limits of size and time, before the app gets the request. Without
    options of CORS, only requests of this origin are answered.
    """

    def __init__(
        self,
        app: Any,
        settings: ServeSettings,
        metrics: Metrics,
        cors: dict[str, Any] | None = None,
    ) -> None:
        self._app, self._settings, self._metrics, self._cors = app, settings, metrics, cors
        key = settings.api_key
        self._hosts = _hosts(settings)
        self._root = settings.root_path
        self._key = None if key is None else key.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Handle one request or lifespan event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        self._metrics.began()
        try:
            await self._guarded(scope, receive, sending)
        except ProblemError as error:
            response: Any = error.response()
            if self._cors is not None and scope["method"] != "OPTIONS":
                response = CORSMiddleware(response, **self._cors)  # so that pages can read it
            await response(scope, receive, sending)
        except Exception:
            # Unexpected: the traceback is logged, and not sent to the client.
            # The path may contain a user id, its template does not.
            template = getattr(scope.get("route"), "path", "a request")
            _log.exception("error while answering %s %s", scope["method"], template)
            if not status:
                detail = "an error in the server; it has been logged"
                await problem(500, detail)(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.ended(route, status or 499, time.perf_counter() - began)

    async def _guarded(self, scope: Scope, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        keep_slashes(scope)
        path = scope["path"]
        if b"host" in headers or scope["http_version"] != "1.0":
            self._check_host(headers)
        if self._root and f"{path}/".startswith(f"{self._root}/"):  # a proxy that leaves it there
            path = path.removeprefix(self._root) or "/"
            # In place: the matched route is read from it after the request.
            scope.update(path=path, raw_path=path.encode())
        # A CORS preflight request has no key.
        if (
            self._key is not None
            and (path.startswith("/v1") or path == "/metrics")
            and scope["method"] != "OPTIONS"
        ):
            self._check_key(headers)
        if b"content-length" in headers or b"transfer-encoding" in headers:
            body = await self._body(headers, receive)
            if body is None:
                return  # the client disconnected
            if body and scope["method"] == "POST" and path.startswith("/v1"):
                _check_type(headers)
                _check_parts(body)
            receive = _replay(body, receive)
        await self._app(scope, receive, send)

    def _check_host(self, headers: dict[bytes, bytes]) -> None:
        """Refuse Host headers of other hosts.

        Another site can point its own host name at this machine and then read the responses in its
        visitors' browsers (DNS rebinding). A request of HTTP/1.0 may have no host, and is not a
        browser's.
        """
        if self._hosts is None:
            return
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        if name not in self._hosts:
            raise ProblemError(
                421, f"this server does not answer as {host!r}; --allowed-host adds names"
            )

    def _check_key(self, headers: dict[bytes, bytes]) -> None:
        key = headers.get(b"x-api-key")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if key is None and scheme.lower() == b"bearer":
            key = token.strip()
        assert self._key is not None
        if key is None or not hmac.compare_digest(key, self._key):
            what = "an API key is needed" if key is None else "the API key is wrong"
            raise ProblemError(
                401,
                f"{what}: send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
                headers={"www-authenticate": 'Bearer realm="matinee"'},
            )

    async def _body(self, headers: dict[bytes, bytes], receive: Any) -> bytes | None:
        limit = self._settings.max_body
        too_large = ProblemError(
            413,
            f"the body is too large: at most {limit:,} bytes are taken",
            headers={"connection": "close"},
        )
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > limit:
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    part = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise too_large
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise ProblemError(
                408,
                f"the body did not arrive within {self._settings.body_seconds:g} seconds",
                headers={"connection": "close"},
            ) from None


def _hosts(settings: ServeSettings) -> frozenset[str] | None:
    """Return the accepted host names; None for all."""
    host, more = settings.host.lower(), [name.lower() for name in settings.allowed_hosts]
    if "*" in more or not (more or settings.is_local):
        return None
    netloc = f"[{host}]" if ":" in host else host
    return frozenset({"localhost", "127.0.0.1", "[::1]", netloc, *more})


def _check_type(headers: dict[bytes, bytes]) -> None:
    coding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if coding != "identity":
        raise ProblemError(
            415,
            f"the content encoding is {coding!r}; send the body as it is",
            headers={"accept-encoding": "identity"},
        )
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    kind = content_type.split(";")[0].strip().lower()
    if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise ProblemError(
            415,
            f"the content type is {repr(content_type) if content_type else 'missing'}; send {JSON}",
            headers={"accept": JSON},
        )


def _check_parts(body: bytes) -> None:
    """Limit the time to parse the JSON, which blocks the event loop."""
    if body.count(b"[") + body.count(b"{") > _PARTS:
        raise ProblemError(
            422, f"the body has too many lists and objects: at most {_PARTS:,} are taken"
        )


def _replay(body: bytes, receive: Any) -> Any:
    """Return a ``receive`` that returns a body already read, and then the following events."""
    delivered = False

    async def again() -> Any:
        nonlocal delivered
        if delivered:
            return await receive()
        delivered = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
