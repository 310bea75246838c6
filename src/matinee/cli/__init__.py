"""The command line. Each command reads its options and calls the library, which has the logic."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``matinee``: see ``_app.main``."""
    try:
        from . import _app
    except KeyboardInterrupt:  # while modules are imported, before a command can handle it
        sys.stderr.write("\nmatinee: interrupted\n")
        return 130
    return _app.main(argv)
