"""Inlines style and script into the first page, to save requests on slow connections.

A page's Content-Security-Policy has their hashes: others within it are refused.
"""

from __future__ import annotations

import base64
import hashlib
import re

_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; "
    "img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
POLICY = _POLICY.format(scripts="", styles="")
"""The Content-Security-Policy of responses without inlined parts."""
_STYLE = re.compile(r'<link rel="stylesheet" href="([^"]*)style\.css">')
_SCRIPT = re.compile(r'<script type="module" src="[^"]*">')
_URL = re.compile(r"url\((?!data:|[\"'])")


def inlined(page: str, style: str, script: str) -> str:
    """Return a page with the text of its style sheet and of its script.

    Raises:
        ValueError: The page loads other files, or the script contains a closing tag.
    """
    link = _STYLE.search(page)
    if link is None or _SCRIPT.search(page) is None:
        raise ValueError("the page loads no style.css or no script")
    if re.search("</script|<!--", script) or "</style" in style:
        raise ValueError("the text of a script or style sheet ends its element")
    style = re.sub(r"url\(([\w.-]+)\)", rf'url("{link[1]}\1")', style)
    if _URL.search(style):
        raise ValueError("an address in the style sheet is no file beside it")
    page = page.replace(link[0], f"<style>{style}</style>", 1)
    return _SCRIPT.sub(lambda _: f'<script type="module">{script}', page, count=1)


def policy_of(page: str) -> str:
    """Return the Content-Security-Policy of a page, which allows its inlined parts by hash."""
    scripts = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    return _POLICY.format(scripts=_hashes(scripts), styles=_hashes(styles))


def _hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
