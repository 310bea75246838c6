"""Ids with slashes in paths: ``AC/DC`` is written ``AC%2FDC``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from starlette.testclient import TestClient

from matinee.data import load
from matinee.models import Bias
from matinee.serve import ServeSettings, create_app

USERS = ("u/1", "a/b/recommendations", "plain")
ITEMS = ("AC/DC", "AC", "x/similar", "/", "é/ü")


@pytest.mark.parametrize("root", ["", "/music"])
def test_ids_with_slashes(tmp_path: Path, root: str) -> None:
    draw = np.random.default_rng(0)
    rows = [
        (u, i, float(draw.integers(1, 6))) for u in USERS for i in ITEMS if (u, i) != ("u/1", "AC")
    ]
    Bias().fit(load(rows)).save(tmp_path / "model")
    settings = ServeSettings(
        model=tmp_path / "model", feedback=f"sqlite:{tmp_path / 'f.db'}", root_path=root
    )
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        for item in ITEMS:
            path = f"{root}/v1/items/{quote(item, safe='')}"
            assert client.get(path).json()["item"]["item"] == item
            assert "no item has" not in client.get(f"{path}/similar").text
        for user in USERS:
            path = f"{root}/v1/users/{quote(user, safe='')}"
            assert client.get(f"{path}/recommendations").status_code == 200
            kept = client.get(path).json()
            assert kept["user"] == user
            assert len(kept["trained"]) == len(ITEMS) - (user == "u/1")
        listed = client.get(f"{root}/v1/users/u%2f1/recommendations").json()["recommendations"]
        assert [each["item"] for each in listed] == ["AC"]
        assert client.delete(f"{root}/v1/users/u%2F1").json()["trained"] == len(ITEMS) - 1
        assert client.get(f"{root}/v1/users/u%2F1").json()["erased"]
        assert "'u/2'" in client.get(f"{root}/v1/users/u%2F2/recommendations").json()["detail"]
        assert client.get(f"{root}/v1/items/AC/DC").status_code == 404
        assert client.get(f"{root}/v1%2Fmodel").status_code == 404
        counted = client.get(f"{root}/metrics").text
    assert f'{{route="/v1/items/{{item}}",status="2xx"}} {len(ITEMS)}' in counted
