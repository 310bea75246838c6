"""A page: templates filled in, with all that it needs inside."""

from __future__ import annotations

import datetime
import re
from importlib import resources
from typing import Any

import jinja2

from ..._version import __version__
from ...charts.chart import asset
from ._tables import cell


def render(template: str, **values: Any) -> str:
    """Fill in a template of the package. Every text is escaped; charts escape their own."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("matinee.lab.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "paragraphs": _paragraphs, "slug": slug}
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    style = (resources.files(__package__) / "templates" / "page.css").read_text("utf-8")
    environment.globals |= {
        "style": asset("chart.css") + style,
        "script": asset("hover.js"),
        "version": __version__,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
    }
    return environment.get_template(template).render(**values)


def slug(words: str) -> str:
    """Return a text as part of a file name or an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "x"


def _paragraphs(words: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", words) if part.strip()]
