"""The routes of the pages, and the page for errors 404."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from .assets import PAGES, Asset, Assets

_FOREVER = "public, max-age=31536000, immutable"


def show_pages(app: FastAPI, files: Assets) -> None:
    """Add the routes of the pages and of the files they load."""

    def page(path: str, name: str) -> None:
        @app.get(path, include_in_schema=False)
        async def _page(request: Request) -> Response:
            return send(request, files.files.get(name))

    for path, name in PAGES.items():
        page(path, name)

    @app.get("/static/{path:path}", include_in_schema=False)
    async def _static(request: Request, path: str) -> Response:
        asset, forever = files.find(path)
        return send(request, asset, forever=forever)


def send(
    request: Request, asset: Asset | None, *, status: int = 200, forever: bool = False
) -> Response:
    """Send a file in a coding the client accepts; 304 if the client has it.

    Raises:
        HTTPException: 404, no such file.
    """
    if asset is None:
        raise HTTPException(404)
    coding, content = asset.best(request.headers.get("accept-encoding", ""))
    tag = f'"{asset.tag}{f"-{coding}" if coding else ""}"'
    headers = {"etag": tag, "cache-control": _FOREVER if forever else "no-cache"}
    if asset.policy:
        headers["content-security-policy"] = asset.policy
    if asset.encoded:
        headers["vary"] = "accept-encoding"
    held = request.headers.get("if-none-match", "")
    if status == 200 and (tag in held or held.strip() == "*"):
        return Response(status_code=304, headers=headers)
    if coding:
        headers["content-encoding"] = coding
    return Response(content, status, headers, asset.kind)


def wants_page(request: Request) -> bool:
    """Return whether a browser requests a page, so that an error is shown as a page."""
    path: str = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(
        ("/v1", "/static")
    )
