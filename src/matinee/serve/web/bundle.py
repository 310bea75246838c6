"""Bundles the modules of a page in one script, to save requests on slow connections.

The modules are written for this: named exports before a declaration, one import to a line, no
circles. Each is wrapped in a function, without comments on separate lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{ ([^}]*) \} from "\./([\w-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)
_COMMENT = re.compile(
    r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL
)


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """Return a module and all that it imports as one module.

    Raises:
        ValueError: An import cycle, or an import of a missing module.
    """
    done: dict[str, str] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path or name not in modules:
            raise ValueError(f"{' -> '.join((*path, name))}: an import cycle, or no such module")
        if name in done:
            return
        text = modules[name]
        for _, other in _IMPORT.findall(text):
            add(other, (*path, name))
        names = _EXPORT.findall(text)
        text = _IMPORT.sub(lambda match: _taken(match[1], match[2]), text)
        text = _COMMENT.sub("", _EXPORT.sub("", text))
        end = f"return {{ {', '.join(names)} }};"
        done[name] = f"const {_variable(name)} = (() => {{\n{text}\n{end}\n}})();\n"

    add(entry, ())
    return "".join(done.values())


def _taken(names: str, module: str) -> str:
    return f"const {{ {names.replace(' as ', ': ')} }} = {_variable(module)};\n"


def _variable(module: str) -> str:
    return "$" + module.replace("-", "_")
