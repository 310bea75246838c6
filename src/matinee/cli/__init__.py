"""The command line. It holds no science: each command reads its options and calls the library."""

from ._app import main

__all__ = ["main"]
