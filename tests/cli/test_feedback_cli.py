"""``matinee feedback`` as people run it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb

from matinee.feedback import make_event, open_store


def test_export_erase_and_prune(shell: Any, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'f.db'}"
    old = int(time.time()) - 10 * 86_400
    store = open_store(url)
    store.add(
        [
            make_event(user="ann", kind="click", item="1"),
            make_event(user="7", kind="rating", item="1", value=3),
            make_event(user="bob", kind="click", item="1", time=old),
        ]
    )
    assert "3 events written" in shell("feedback", "export", url, "--out", "all.parquet").stdout
    rows = duckdb.sql(f"SELECT user_id, rating FROM '{tmp_path / 'all.parquet'}'").fetchall()
    assert rows == [("ann", None), ("7", 3.0), ("bob", None)]
    assert shell.json("feedback", "erase", url, "--user", "7.0") == {"events": 1}
    for days, events in (("inf", 0), (1e300, 0), (5, 1)):
        assert shell.json("feedback", "prune", url, "--days", days) == {"events": events}
    assert [event.user for event in store.events()] == ["ann"]
    assert store.is_erased("7")
    store.close()


def test_refusals(shell: Any) -> None:
    assert "no such file" in shell.error("feedback", "prune", "sqlite:none", "--days", 1, code=2)
    assert "give sqlite:PATH" in shell.error("feedback", "prune", "x", "--days", 1, code=2)
    wrong = shell.error("feedback", "prune", "sqlite:none", "--days", 0, code=2)
    assert "above 0" in wrong
