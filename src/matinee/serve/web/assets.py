"""The pages and their assets, held in memory: no path of a request is ever opened."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass, field, replace
from importlib import resources, util
from typing import Any

import jinja2

from .bundle import bundle
from .inline import inlined, policy_of

PAGES = {
    "/": "index.html",
    "/model": "model.html",
    "/map": "map.html",
    "/docs": "docs.html",
    "/favicon.ico": "favicon.ico",
}

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_PAGES = jinja2.Environment(loader=jinja2.PackageLoader("matinee.serve", "static"))
_LAYOUT = "layout.html"
"""What all pages have around their content."""
_PACKED = (".ico", ".woff2")
"""Files that are compressed already."""


@dataclass(frozen=True)
class Asset:
    """A file of the pages.

    Attributes:
        content: Bytes of the file.
        kind: Content type.
        tag: Entity tag, without quotes.
        encoded: Bytes by content coding, smallest first; only smaller ones.
        policy: The Content-Security-Policy of a page.
    """

    content: bytes
    kind: str
    tag: str
    encoded: dict[str, bytes] = field(default_factory=dict)
    policy: str = ""

    def best(self, accepted: str) -> tuple[str | None, bytes]:
        """Return the coding and the bytes to send, given an Accept-Encoding header."""
        wanted = accepted_codings(accepted)
        for coding, content in self.encoded.items():
            if coding in wanted:
                return coding, content
        return None, self.content


@dataclass(frozen=True)
class Assets:
    """All files of the pages.

    Attributes:
        files: By path below ``static``, with ``/`` between the parts.
        build: Identifier of the content. Pages load what they need from ``/static/BUILD/...``,
            which a browser may keep for ever.
    """

    files: dict[str, Asset]
    build: str

    def find(self, path: str) -> tuple[Asset | None, bool]:
        """Return the file at a path below ``/static/``, and whether it may be kept for ever."""
        first, _, rest = path.partition("/")
        if first == self.build:
            return self.files.get(rest), True
        if re.fullmatch(r"[0-9a-f]{12}", first):  # requested by a page of an earlier version
            return self.files.get(rest), False
        return self.files.get(path), False


_ROOTED = re.compile(rb"""(["'`])/(?=static/|v1/|openapi\.json|(?:map|model|docs)\b|["'`])""")
"""The start of an address of this server in the text of a page."""
_STATIC = re.compile(rb"""(?<=["'/])static/""")


def assets(root_path: str = "") -> Assets:
    """Return every file below ``static``, for a server that a browser sees below a path."""
    by_path: dict[str, Asset] = {}
    root = resources.files("matinee.serve") / "static"
    if root.is_dir():
        _gather(root, "", by_path, root_path.encode())
    _bundle(by_path)
    digest = hashlib.sha256()
    for name in sorted(by_path):
        digest.update(name.encode() + by_path[name].content)
    build = digest.hexdigest()[:12]
    for name, asset in by_path.items():
        if name.endswith(".html"):
            content = _STATIC.sub(f"static/{build}/".encode(), asset.content)
            policy = policy_of(content.decode())
            by_path[name] = replace(asset, content=content, tag=_tag(content), policy=policy)
    packed = {name: _packed(name, asset) for name, asset in by_path.items()}
    return Assets(packed, build)


def _bundle(by_path: dict[str, Asset]) -> None:
    """Bundle the modules of each page into one script, or into the page."""
    modules = {
        name.removeprefix("js/").removesuffix(".js"): asset.content.decode()
        for name, asset in by_path.items()
        if name.startswith("js/")
    }
    for name, asset in list(by_path.items()):
        page = asset.content.decode() if name.endswith(".html") else ""
        for entry in re.findall(r'<script type="module" src="[^"]*static/js/(\w+)\.js">', page):
            content = bundle(modules, entry).encode()
            by_path[f"js/{entry}.page.js"] = Asset(content, _TYPES[".js"], _tag(content))
            page = page.replace(f"js/{entry}.js", f"js/{entry}.page.js")
            if name == PAGES["/"]:
                page = inlined(page, by_path["style.css"].content.decode(), content.decode())
            by_path[name] = replace(asset, content=page.encode())


def accepted_codings(header: str) -> set[str]:
    """Return the content codings that an Accept-Encoding header takes."""
    codings = set()
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None:
            codings.add(coding.strip())
    return codings


def _gather(folder: Any, prefix: str, by_path: dict[str, Asset], root_path: bytes) -> None:
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            _gather(entry, f"{name}/", by_path, root_path)
            continue
        kind = _TYPES.get(name[name.rfind(".") :].lower())
        if kind is not None and name != _LAYOUT:
            is_page = name.endswith(".html")
            content = _PAGES.get_template(name).render().encode() if is_page else entry.read_bytes()
            if root_path and name.endswith((".html", ".js", ".css")):
                content = _ROOTED.sub(rb"\1" + root_path + b"/", content)
            by_path[name] = Asset(content, kind, _tag(content))


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]


def _packed(name: str, asset: Asset) -> Asset:
    """Add smaller encodings to an asset. Brotli is used if installed."""
    if name.endswith(_PACKED):
        return asset
    packed = {"gzip": gzip.compress(asset.content, 9, mtime=0)}
    if util.find_spec("brotli") is not None:
        import brotli  # type: ignore[import-untyped, unused-ignore]

        packed["br"] = brotli.compress(asset.content, quality=9)
    smaller = {k: v for k, v in packed.items() if len(v) < len(asset.content)}
    ordered = dict(sorted(smaller.items(), key=lambda item: len(item[1])))
    return replace(asset, encoded=ordered)
