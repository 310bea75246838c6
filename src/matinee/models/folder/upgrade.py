"""Upgrades manifests of earlier versions; docs/versions.md has the rules.

The folder on disk is left unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ._fields import Manifest

SCHEMA = 1
"""The schema that this version writes."""

UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType({})
"""For each schema, the function that converts a manifest to the next schema."""

_ADDED: Mapping[str, Any] = MappingProxyType(
    {
        name: field.default
        for name, field in Manifest.model_fields.items()
        if not field.is_required()
    }
)
"""Fields added to schema 1 after version 0.1.0, with the values that keep its predictions."""


def upgrade(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked manifest of any earlier schema with the fields of the current one."""
    upgraded = dict(manifest)
    for schema in range(manifest["schema"], SCHEMA):
        upgraded = {**UPGRADES[schema](upgraded), "schema": schema + 1}
    return {**_ADDED, **upgraded}
