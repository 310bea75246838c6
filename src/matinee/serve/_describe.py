"""The OpenAPI description: as FastAPI makes it, with errors as they really are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ._schema import Problem
from .problems import PROBLEM

_MEANINGS = {
    400: "The body is no JSON.",
    401: "No API key, or a wrong one.",
    404: "Not known, or not something this model can do.",
    408: "The body did not arrive.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    421: "A name in the Host header that this server does not have.",
    422: "The request makes no sense; `errors` says where.",
    429: "Too many long requests at once.",
    503: "The store of feedback cannot be reached.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": meaning,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, meaning in _MEANINGS.items()
}
"""What any endpoint may answer besides what it is for."""


def describe(app: FastAPI, *, keyed: bool) -> None:
    """Have an app describe itself with its errors and, where there is one, its key."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                description="Recommendations for people a model has never met.",
                license_info={"name": "MIT"},
                routes=app.routes,
                servers=app.servers,
            )
            schemas = found["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            if keyed:
                found["components"]["securitySchemes"] = {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                }
                found["security"] = [{"bearer": []}, {"header": []}]
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
