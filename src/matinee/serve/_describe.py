"""The OpenAPI description of FastAPI, with the actual error responses."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ._schema import Problem
from .problems import PROBLEM

_MEANINGS = {
    400: "The body is not valid JSON.",
    401: "No API key, or a wrong one.",
    404: "Unknown, or not supported by this model.",
    408: "The body did not arrive.",
    413: "The body is too large.",
    415: "The content type is not JSON.",
    421: "A Host header that this server does not answer to.",
    422: "An invalid request; `errors` has the fields.",
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
"""Error responses of every endpoint."""


def describe(app: FastAPI, *, keyed: bool) -> None:
    """Add the error responses and the API key to the OpenAPI description of an app."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description="Recommendations for new users, without retraining.",
                license_info={"name": "MIT"},
                routes=app.routes,
                servers=app.servers,
            )
            schemas = schema["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            if keyed:
                schema["components"]["securitySchemes"] = {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                }
                schema["security"] = [{"bearer": []}, {"header": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
