"""Requests made up from the OpenAPI description, right and wrong ones: never an error within."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from matinee.serve import ServeSettings, create_app

CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
"""What every answer must be: no 5xx, and of a status, type and shape that is described."""
OPERATIONS = {
    "/v1/recommend": "POST",
    "/v1/recommend/batch": "POST",
    "/v1/predict": "POST",
    "/v1/profile": "POST",
    "/v1/surprise": "POST",
    "/v1/users/{user}/recommendations": "GET",
    "/v1/items": "GET",
    "/v1/items/match": "POST",
    "/v1/items/{item}": "GET",
    "/v1/items/{item}/similar": "GET",
    "/v1/map": "GET",
    "/v1/model": "GET",
}


@pytest.fixture(scope="module")
def described(folder: Path) -> Any:
    app = create_app(ServeSettings(model=folder, allowed_hosts=("*",)))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_every_operation_is_tried(described: Any) -> None:
    by_name = {each.ok().path: each.ok().method.upper() for each in described.get_all_operations()}
    assert by_name == OPERATIONS


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", OPERATIONS)
def test_made_up_requests(described: Any, path: str, mode: GenerationMode) -> None:
    operation = described[path][OPERATIONS[path]]
    if mode == GenerationMode.NEGATIVE and path == "/v1/model":
        return  # it takes nothing, so nothing wrong can be sent

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKED)

    ask()
