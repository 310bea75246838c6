"""Errors of the server as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

JSON = "application/json"
PROBLEM = "application/problem+json"


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
        """The same problem in one part of a larger request."""
        found = ProblemError(self.status, f"{where}: {self.detail}", headers=self.headers)
        if self.errors is not None:
            found.errors = [{**each, "pointer": pointer + each["pointer"]} for each in self.errors]
        return found

    def body(self) -> bytes:
        """The problem document."""
        return problem(self.status, self.detail, self.errors)


def problem(status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> bytes:
    """A problem document."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = errors
    return dumps(content)


def dumps(content: Any) -> bytes:
    """JSON in UTF-8. Half of a surrogate pair, which UTF-8 cannot hold, is escaped."""
    try:
        return to_json(content, inf_nan_mode="null")  # a quarter of the time that json takes
    except PydanticSerializationError:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def validation_problems(errors: list[Any], body: bool = True) -> list[dict[str, Any]]:
    """Pydantic's validation errors as pointers and messages.

    Args:
        errors: ``ValidationError.errors()``, locations starting with "body" or "query".
        body: Whether the first part of the location is to be dropped.
    """
    problems = []
    for error in errors[:20]:
        location = error["loc"][1:] if body else error["loc"]
        # Which arm of a union did not fit is of no use to who wrote neither.
        parts = [part for part in location if not (isinstance(part, str) and part in _ARMS)]
        message = str(error["msg"]).removeprefix("Value error, ")
        problems.append({"pointer": "".join(f"/{part}" for part in parts), "detail": message})
    return problems


_ARMS = {"str", "int", "function-after", "constrained-str"}
