from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.data import Ratings
from matinee.errors import MatineeError, ModelFileError, UsageError
from matinee.models import Bias, identity, load_identified, load_model, read_manifest
from matinee.models.folder import read as reading, write as module
from matinee.models.folder.manifest import check_sizes, checksum
from matinee.testing import all_pairs, sample

FILES = [
    "histories.parquet",
    "items.parquet",
    "manifest.json",
    "users.parquet",
    "weights.safetensors",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Bias().fit(sample()).save(tmp_path / "a 'model'")


def signed(folder: Path, **changes: Any) -> None:
    """Rewrite the manifest with a fitting checksum, as another program would."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest.update(changes)
    manifest.pop("checksum")
    manifest["checksum"] = checksum(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_it_holds_what_it_should(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == FILES
    manifest = read_manifest(folder)
    assert manifest["schema"] == 1
    assert manifest["kind"] == "bias"
    assert manifest["scale"] == [0.5, 5.0]
    assert manifest["data"]["n_ratings"] == 900
    assert manifest["data"]["notes"] == ["a note"]
    assert set(manifest["versions"]) == {"matinee", "python", "numpy", "torch"}
    for name, digest in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert digest == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    assert len({(folder / name).stat().st_mode for name in FILES}) == 1


@pytest.mark.parametrize("step", ["check_sizes", "check_contents", "read_users"])
def test_a_folder_that_is_replaced_while_it_is_read_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    other = Bias().fit(sample().take(np.arange(600)))
    original = getattr(reading, step)

    def replaced_first(*given: Any) -> Any:
        monkeypatch.setattr(reading, step, original)
        other.save(folder)
        return original(*given)

    monkeypatch.setattr(reading, step, replaced_first)
    model, manifest, name = load_identified(folder)
    assert (manifest["data"]["fingerprint"], name) == (
        other.provenance.fingerprint,
        identity(folder),
    )
    np.testing.assert_array_equal(model.bias.item_bias, other.bias.item_bias)
    assert model.histories is not None
    np.testing.assert_array_equal(model.histories.hashes, other.histories.hashes)  # type: ignore[union-attr]


def test_a_folder_that_is_always_replaced_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, original = load_model(folder), check_sizes

    def replaced(*given: Any) -> None:
        model.record["at"] = model.record.get("at", 0) + 1
        model.save(folder)
        original(*given)

    monkeypatch.setattr(reading, "check_sizes", replaced)
    with pytest.raises(ModelFileError, match="replaced whenever it was read"):
        load_model(folder)


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_byte_is_noticed(folder: Path, name: str) -> None:
    file = folder / name
    whole = file.read_bytes()
    step = max(1, len(whole) // 40)
    for at in [*range(0, len(whole) - 1, step), len(whole) - 2]:
        if name == "manifest.json" and whole[at : at + 1].isspace():
            continue  # white space in JSON is no content
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ModelFileError, match=name):
            load_model(folder)
    file.write_bytes(whole)
    load_model(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_named(folder: Path, name: str, part: float) -> None:
    file = folder / name
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ModelFileError, match=f"{name}: (truncated or altered|not the manifest)"):
        load_model(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFileError, match=f"{name}.*missing|missing.*{name}|{name} missing"):
        load_model(folder)


def test_a_newer_schema_asks_for_a_later_version(folder: Path) -> None:
    signed(folder, schema=2, versions={"matinee": "9.9"}, layout="unheard of")
    message = r"schema 2, written by Matinee 9\.9.*Read it with that version, or a later one"
    with pytest.raises(ModelFileError, match=message):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "bais"}, "unknown kind of model 'bais'; did you mean 'bias'"),
        ({"config": {"user_rig": 1}}, "did you mean 'user_ridge'.*option is of an earlier version"),
        ({"bias": {}}, "bias.mean: field required"),
        ({"scale": "wide"}, "scale: input should be a valid list"),
        ({"files": {}}, "its list of files"),
    ],
)
def test_a_signed_manifest_of_nonsense_is_an_error(
    folder: Path, changes: dict[str, Any], words: str
) -> None:
    signed(folder, **changes)
    with pytest.raises(ModelFileError, match=words):
        load_model(folder)


def test_what_is_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such folder"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelFileError, match="no model folder"):
        load_model(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "a web app"}')
    with pytest.raises(ModelFileError, match="not the manifest of a Matinee model"):
        load_model(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe[")
    with pytest.raises(ModelFileError, match=r"manifest\.json: truncated or altered"):
        load_model(tmp_path)
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(ModelFileError, match="is a file; give the folder of the model"):
        load_model(file)


def test_saving_again_replaces_the_model_and_keeps_the_rest(folder: Path) -> None:
    (folder / "metrics.jsonl").write_text("{}\n")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "state").write_text("x")
    before = sorted(p.name for p in folder.parent.iterdir())
    Bias(user_reg=1).fit(sample()).save(folder, histories=False)
    names = sorted(file.name for file in folder.iterdir())
    kept = ["checkpoint", "metrics.jsonl"]
    assert names == sorted([*kept, *(name for name in FILES if name != "histories.parquet")])
    assert (folder / "checkpoint" / "state").read_text() == "x"
    assert load_model(folder).bias.user_reg == 1
    assert sorted(p.name for p in folder.parent.iterdir()) == before


def test_a_failing_save_leaves_the_old_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    old = {name: (folder / name).read_bytes() for name in FILES}
    for name in ("save_file", "write_parquets", "checksum"):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            with pytest.raises(KeyboardInterrupt):
                Bias(user_reg=1).fit(sample()).save(folder)
        assert {name: (folder / name).read_bytes() for name in FILES} == old
        assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_a_folder_of_other_things_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"other files than a model \(thesis\.tex\)"):
        Bias().fit(sample()).save(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        Bias().fit(sample()).save(tmp_path / "thesis.tex")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_with_another_manifest_is_not_touched(tmp_path: Path) -> None:
    for name in ("manifest.json", "train.parquet"):  # as 'matinee data split' writes them
        (tmp_path / name).write_text("{}")
    with pytest.raises(UsageError, match=r"other files than a model \(train\.parquet\)"):
        Bias().fit(sample()).save(tmp_path)
    assert (tmp_path / "manifest.json").read_text() == "{}"


def test_a_broken_model_can_be_saved_over(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")
    Bias().fit(sample()).save(folder)
    assert load_model(folder).n_users == 60


def test_a_training_folder_becomes_a_model_folder(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    Bias().fit(sample()).save(tmp_path)
    assert (tmp_path / "metrics.jsonl").read_text() == "{}\n"
    assert load_model(tmp_path).n_items == 40


def test_a_model_whose_lists_are_by_predicted_rating_comes_back(tmp_path: Path) -> None:
    model = matinee.model("biased-mf", love=np.inf).fit(sample())
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").love == np.inf


def test_notes_must_be_json(tmp_path: Path) -> None:
    model = Bias().fit(sample())
    with pytest.raises(UsageError, match="must be JSON-able"):
        model.save(tmp_path / "m", extra={"metrics": object()})
    assert list(tmp_path.iterdir()) == []
    model.save(tmp_path / "m", extra={"metrics": {"rmse": 0.9}})
    model.save(tmp_path / "m", extra={"split": "u1"})
    assert read_manifest(tmp_path / "m")["split"] == "u1"
    assert read_manifest(tmp_path / "m")["metrics"] is None


def test_names_of_files_that_are_not_utf8(folder: Path) -> None:
    """One among the notes comes back; the folder itself needs a name in UTF-8."""
    source = os.fsdecode(b"caf\xe9.csv")
    model = load_model(folder)
    model.save(folder, extra={"source": source})
    assert load_model(folder).record["source"] == source
    if sys.platform == "linux":
        other = folder.rename(folder.with_name(os.fsdecode(b"caf\xe9")))
        with pytest.raises(ModelFileError, match="is not UTF-8; rename it"):
            load_model(other)


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MatineeError):
        Bias().fit(sample()).save(tmp_path / "file" / "model")


@pytest.mark.parametrize(
    ("users", "items"),
    [
        ([-(2**63), 2**63 - 1, 0], [1, 2, 3]),
        (["", "a|b\x1f", "日本"], ["NULL", "nan", "'quoted'"]),
    ],
)
def test_any_ids_come_back(tmp_path: Path, users: list[Any], items: list[Any]) -> None:
    ratings = Ratings.from_arrays(users, items, [0.0, 2.0, 5.0])
    back = load_model(Bias().fit(ratings).save(tmp_path / "m"))
    assert back.user_ids == ratings.user_ids
    assert back.item_ids == ratings.item_ids
    assert back.item_table is None
    assert back.user_ids.ids.dtype == ratings.user_ids.ids.dtype
    assert back.recommend(users=users)["user_id"].tolist() == sorted(
        [*users, *users], key=users.index
    )


def test_it_is_served_by_another_process(folder: Path) -> None:
    code = (
        "import sys, matinee\n"
        "model = matinee.load_model(sys.argv[1])\n"
        "print(model.predict(104, 'item-04')[0])\n"
        "print(model.recommend([{'item-01': 5}], k=1)['item_id'][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    model = Bias().fit(sample())
    rating, item = done.stdout.split()
    assert float(rating) == model.predict(104, "item-04")[0]
    assert item == model.recommend([{"item-01": 5}], k=1)["item_id"][0]


def test_real_titles_and_genres_come_back(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    ratings = matinee.load(real_data("ml-latest-small"))
    model = Bias().fit(ratings)
    back = load_model(model.save(tmp_path / "m"))
    assert back.item_table is not None
    assert model.item_table is not None
    assert back.item_table.titles.tolist() == model.item_table.titles.tolist()
    assert back.item_table.genres.tolist() == model.item_table.genres.tolist()  # type: ignore[union-attr]
    users, items = all_pairs(ratings)
    some = np.random.default_rng(0).permutation(len(users))[:2000]
    assert np.array_equal(
        back.predict(users[some], items[some]), model.predict(users[some], items[some])
    )
