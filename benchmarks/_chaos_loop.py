"""The longest that a request keeps the server's event loop, in processor time of the process."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _chaos_pieces import Piece, Row

sys.path.append(str(Path(__file__).parent.parent / "tests" / "serve"))

from test_bounds import QUERIES, REQUESTS, ask, body_of, make_app

REPEATS = 5


def loop(out: Path) -> None:
    """Ask everything that the tests ask, several times."""
    with Piece(out / "loop.json") as piece, tempfile.TemporaryDirectory() as folder:
        app = make_app(Path(folder) / "model")
        held: dict[str, float] = {}
        for _ in range(REPEATS):
            for name in REQUESTS:
                path, body = body_of(name)
                held[name] = max(held.get(name, 0.0), ask(app, "POST", path, "", body)[1])
            for path, query in QUERIES.items():
                held[path] = max(held.get(path, 0.0), ask(app, "GET", path, query, b"")[1])
        piece.counts["held"] = held


def rows(out: Path) -> list[Row]:
    """The row of the table."""
    if not (out / "loop.json").exists():
        return []
    held = Piece(out / "loop.json").counts["held"]
    worst = sorted(held, key=lambda name: -held[name])[:2]
    what = f"processor time between two turns of the event loop, worst of {len(held)} requests"
    return [(what, ", ".join(f"{1e3 * held[name]:.0f} ms ({name})" for name in worst))]
