"""Model folders as earlier versions wrote them; ``folders/write.py`` made the committed ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.errors import ModelFileError
from matinee.models import load_model, read_manifest
from matinee.models.folder import upgrade as module
from matinee.models.folder.manifest import checksum

FOLDERS = Path(__file__).parent / "folders"
ANSWERS = {
    file.parent.name: json.loads(file.read_text()) for file in FOLDERS.glob("*/answers.json")
}
CASES = [(version, name) for version, stored in ANSWERS.items() for name in stored["models"]]


@pytest.mark.parametrize(("version", "name"), CASES)
def test_a_folder_of_an_earlier_version_answers_as_it_did(version: str, name: str) -> None:
    stored = ANSWERS[version]
    expected = stored["models"][name]
    model = load_model(FOLDERS / version / name)
    assert model.kind == expected["kind"].replace("_", "-")
    predictions, std = model.predict(stored["users"], stored["items"], with_std=True)
    assert np.allclose(predictions, expected["predictions"], atol=1e-5)
    assert np.allclose(std, expected["std"], atol=1e-5)
    for key, request in (("known", {"users": [100, 104]}), ("new", {"histories": stored["new"]})):
        table = model.recommend(**request, k=5)
        items, scores = expected[key]
        assert table["item_id"].tolist() == items
        assert np.allclose(table["score"], scores, atol=1e-5)
    assert model.record["split"] == {"holdout": 0.2}


def test_saved_again_it_is_a_folder_of_this_version(tmp_path: Path) -> None:
    model = load_model(FOLDERS / "0.1.0" / "item_mean")
    again = read_manifest(model.save(tmp_path / "again"))
    assert (again["schema"], again["kind"]) == (module.SCHEMA, "item-mean")


def test_each_schema_is_upgraded_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def second(manifest: dict[str, Any]) -> dict[str, Any]:
        return {**manifest, "added": manifest["schema"]}

    def third(manifest: dict[str, Any]) -> dict[str, Any]:
        return {**manifest, "added": [manifest["added"], manifest["schema"]]}

    monkeypatch.setattr(module, "SCHEMA", 3)
    monkeypatch.setattr(module, "UPGRADES", {1: second, 2: third})
    manifest = module.upgrade({"schema": 1, "love": 2.0})
    assert (manifest["schema"], manifest["added"]) == (3, [1, 2])
    assert (manifest["love"], manifest["floor"]) == (2.0, 0.0)
    assert module.upgrade({"schema": 3})["schema"] == 3


def test_every_earlier_schema_has_an_upgrade() -> None:
    assert sorted(module.UPGRADES) == list(range(1, module.SCHEMA))


def test_an_option_that_was_removed_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "levels"
    shutil.copytree(FOLDERS / "0.1.0" / "autoencoder", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["config"]["settings"]["network"]["input"] = "levels"
    del manifest["checksum"]
    manifest["checksum"] = checksum(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelFileError, match=r"network.input.*with Matinee 0\.1\.0, which wrote"):
        load_model(folder)
