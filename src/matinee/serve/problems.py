"""Errors of the server as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json
from starlette.responses import Response

from ..errors import nearest

JSON = "application/json"
PROBLEM = "application/problem+json"
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Names of RFC 9110 that the standard library has from Python 3.13 on."""


class ProblemError(Exception):
    """A request that is refused.

    Args:
        status: HTTP status, 4xx.
        detail: The error and its remedy.
        pointer: JSON pointer to the invalid part of the body, if any.
        headers: Further headers of the response.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        pointer: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}
        self.errors = None if pointer is None else [{"pointer": pointer, "detail": detail}]

    def within(self, where: str, pointer: str) -> ProblemError:
        """Return the same problem in one part of a larger request."""
        problem = ProblemError(self.status, f"{where}: {self.detail}", headers=self.headers)
        if self.errors is not None:
            problem.errors = [
                {**each, "pointer": pointer + each["pointer"]} for each in self.errors
            ]
        return problem

    def response(self) -> Response:
        """Return the response that refuses the request."""
        return problem(self.status, self.detail, self.errors, self.headers)


def problem(
    status: int,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a response with a problem document."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = errors
    return Response(dumps(content), status, headers, PROBLEM)


def dumps(content: Any) -> bytes:
    """Encode JSON in UTF-8, escaping lone surrogates, which UTF-8 cannot represent."""
    try:
        return to_json(content, inf_nan_mode="null")  # a quarter of the time that json takes
    except PydanticSerializationError:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def validation_problems(errors: list[Any], kinds: Iterable[Any]) -> list[dict[str, Any]]:
    """Pydantic's validation errors as pointers and messages; the nearest name of an unknown field.

    Args:
        errors: ``ValidationError.errors()``, locations starting with "body" or "query".
        kinds: The types of the body and the query.

    Returns:
        Misspelt fields first: another may be missing because of them.
    """
    problems: list[dict[str, Any]] = []
    misspelt = 0
    for error in errors[:20]:
        # Errors of each arm of a union do not help a user who meant neither.
        parts = [
            part
            for part in error["loc"][1:]
            if not (isinstance(part, str) and part.partition("[")[0] in _ARMS)
        ]
        message = str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            known = [name for model in _models_at(kinds, parts[:-1]) for name in model.model_fields]
            near = nearest(str(parts[-1]), known)
            message = f"there is no such field{near}"
        elif error["type"] == "missing" and parts == ["ratings"] and "user" in error["input"]:
            message += "; a known user's list is GET /v1/users/{user}/recommendations"
        found = {"pointer": "".join(f"/{part}" for part in parts), "detail": message}
        if error["type"] == "extra_forbidden" and near:
            problems.insert(misspelt, found)
            misspelt += 1
        else:
            problems.append(found)
    return problems


def _models_at(kinds: Iterable[Any], path: Iterable[int | str]) -> list[type[BaseModel]]:
    """Return the models that types may contain at a location."""
    models = [model for kind in kinds for model in _models(kind)]
    for part in path:
        if isinstance(part, str):
            fields = [model.model_fields.get(part) for model in models]
            models = [one for field in fields if field for one in _models(field.annotation)]
    return models


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a type, which may be a union or a list of them."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models(part)


_ARMS = {"str", "int", "function-after", "function-before", "constrained-str"}
