"""Pages of the docs site that are not files of docs/: a hook of mkdocs, see mkdocs.yml.

The home page is the first part of the README; CONTRIBUTING and CHANGELOG are pages, unchanged; the
API reference has one page for each package that has a typed stub (``__init__.pyi``).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "matinee"
HOME_SECTIONS = 2
"""Sections of the README, counted by its ``##`` headings, that the home page shows."""
PICTURES = """
![A network reads a person's ratings and predicts one for every item.](pictures/network.svg)

![Fold-in: predictions for a new person from a few ratings.](pictures/fold-in.svg)

How it works: [Autoencoders that recommend](autoencoders.md). How to use it from Python:
[Python](python.md). Every command: [Commands](cli.md).
"""
REPOSITORY_FILES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
WITHOUT_STUB = ("errors", "config")
"""Public modules that are not packages."""
INTERNAL = ("matinee.base", "matinee.cli")
"""Packages without an API for users."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the pages of the API reference to the navigation."""
    for entry in config.nav or []:
        if "API" in entry:
            entry["API"] = [{name: _page(name)} for name in api_pages()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for source, page in REPOSITORY_FILES.items():
        text = (ROOT / source).read_text("utf-8")
        if page == "index.md":
            text = _home(text)
        files.append(File.generated(config, page, content=_relinked(text)))
    for name, text in api_pages().items():
        files.append(File.generated(config, _page(name), content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files of the repository into links to their pages."""
    up = "../" * page.file.src_uri.count("/")
    for source, target in REPOSITORY_FILES.items():
        markdown = markdown.replace(f"](../{up}{source}", f"]({up}{target}")
    return markdown


def api_pages() -> dict[str, str]:
    """The API reference: for each public package or module, the text of its page."""
    pages = {"matinee": _package_page("matinee", PACKAGE / "__init__.pyi")}
    for stub in sorted(PACKAGE.glob("*/__init__.pyi")) + sorted(PACKAGE.glob("*/*/__init__.pyi")):
        name = ".".join(("matinee", *stub.parent.relative_to(PACKAGE).parts))
        if name not in INTERNAL and exported(stub):
            pages[name] = _package_page(name, stub)
    for module in WITHOUT_STUB:
        pages[f"matinee.{module}"] = f"# `matinee.{module}`\n\n::: matinee.{module}\n"
    return pages


def exported(stub: Path) -> list[str]:
    """The names that a stub exports, without subpackages."""
    imports = [n for n in ast.parse(stub.read_text("utf-8")).body if isinstance(n, ast.ImportFrom)]
    return [alias.name for node in imports if node.module for alias in node.names]


def _package_page(name: str, stub: Path) -> str:
    doc = ast.get_docstring(ast.parse(stub.with_suffix(".py").read_text("utf-8"))) or ""
    entries = "\n".join(f"::: {name}.{each}\n" for each in exported(stub) if each[0] != "_")
    return f"# `{name}`\n\n{doc}\n\n{entries}"


def _home(readme: str) -> str:
    """The README's first sections, with pictures after its introduction."""
    introduction, *sections = readme.split("\n## ")
    return "\n## ".join((introduction + PICTURES, *sections[:HOME_SECTIONS]))


def _page(name: str) -> str:
    return f"api/{name}.md"


def _relinked(text: str) -> str:
    """The text of a file of the repository with its links relative to docs/."""
    text = re.sub(r"\]\(docs/results/\)", "](leaderboard.md)", text)
    return re.sub(r"\]\(docs/", "](", text)
