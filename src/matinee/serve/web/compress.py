"""``Compressed``: compresses large responses with gzip outside the event loop."""

from __future__ import annotations

import asyncio
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .assets import accepted_codings

_SMALLEST = 8192
"""Smallest compressed response, in bytes."""
_LEVEL = 5


class Compressed:
    """ASGI middleware that compresses single-part responses for clients that accept gzip.

    Starlette's ``GZipMiddleware`` compresses on the event loop, which ten megabytes block for a
    quarter of a second.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection's event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        accepted = "gzip" in accepted_codings(Headers(scope=scope).get("accept-encoding", ""))
        start: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                first, start = start, None
                if not message.get("more_body", False):
                    message = await _compressed(first, message, accepted)
                await send(first)
            await send(message)

        await self._app(scope, receive, sending)


async def _compressed(start: Message, message: Message, accepted: bool) -> Message:
    """Return the body to send, compressed if it is to be; the headers in ``start`` are changed."""
    body: bytes = message.get("body", b"")
    headers = MutableHeaders(raw=start["headers"])
    if len(body) < _SMALLEST or "content-encoding" in headers:
        return message
    headers.add_vary_header("accept-encoding")
    if not accepted:
        return message
    packed = await asyncio.to_thread(zlib.compress, body, _LEVEL, 16 + zlib.MAX_WBITS)
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(packed))
    return {**message, "body": packed}
