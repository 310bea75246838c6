"""Manifests of earlier versions in the form that this version reads; docs/versions.md has the rule.

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
"""By schema, the function that returns a manifest of the next schema."""

_ADDED: Mapping[str, Any] = MappingProxyType(
    {
        name: field.default
        for name, field in Manifest.model_fields.items()
        if not field.is_required()
    }
)
"""Fields that versions after 0.1.0 added to schema 1, with the values that give its answers."""


def upgrade(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A checked manifest of any earlier schema, with the fields of the present one."""
    upgraded = dict(manifest)
    for schema in range(manifest["schema"], SCHEMA):
        upgraded = {**UPGRADES[schema](upgraded), "schema": schema + 1}
    return {**_ADDED, **upgraded}
