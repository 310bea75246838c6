"""The registry of model kinds: found by file, cheap to read, and one spelling of each name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from matinee.errors import UsageError
from matinee.models import (
    Settings,
    Trainable,
    kind_named,
    load_model,
    model,
    model_kinds,
    preset,
)
from matinee.models.folder.manifest import checksum
from matinee.models.settings import option_path
from matinee.testing import sample

KINDS = {kind.name: kind for kind in model_kinds()}
OWN = [kind.name for kind in model_kinds() if not kind.requires]


def test_names_and_sections_are_unique() -> None:
    kinds = model_kinds()
    sections = [kind.section for kind in kinds if kind.section]
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert len(set(sections)) == len(sections)
    assert not set(sections) & set(Settings.model_fields)
    assert all("_" not in kind.name for kind in kinds)


@pytest.mark.parametrize("name", OWN)
def test_the_class_of_a_kind_has_its_name(name: str) -> None:
    kind = kind_named(name)
    assert kind.load().kind == name
    assert issubclass(kind.load(), Trainable)
    assert kind.summary


@pytest.mark.parametrize("name", [name for name in OWN if name != "ensemble"])
def test_settings_make_each_kind(name: str) -> None:
    settings = Settings.make({"kind": name})
    assert settings.kind == settings.model_kind == name
    assert Settings.make(settings.model_dump(mode="json")) == settings
    kind, plain = kind_named(name), settings.model_dump(mode="json")
    assert kind.epochs(plain) >= 1
    assert kind.cost(plain, 100, 1000) > 0
    assert settings.replace(kind.shorten(settings, 1)).kind == name
    made = model(settings=settings)
    assert isinstance(made, kind.load())


def test_reading_the_registry_imports_no_torch() -> None:
    code = (
        "import sys; from matinee.models import Settings, model_kinds, preset\n"
        "assert len(model_kinds()) > 8; preset('biased-mf'); Settings.options()\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_a_preset_of_the_core_imports_no_other_kind() -> None:
    code = (
        "import sys; from matinee.models import preset\n"
        "preset('default'); preset('accurate'); preset('biased-mf')\n"
        "assert 'numba' not in sys.modules, 'a kind with its class'\n"
        "assert not any(name.startswith('matinee.lab') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'item-maen'; did you mean 'item-mean'.*an entry point"):
        kind_named("item-maen")
    with pytest.raises(UsageError, match=r"my\.toml: unknown kind of model 'biased'"):
        Settings.make({"kind": "biased"}, "my.toml")
    for name in ("ensemble", "surprise-svd"):
        with pytest.raises(UsageError, match="no preset describes"):
            Settings.make({"kind": name})


def test_an_earlier_spelling_is_read(tmp_path: Path) -> None:
    assert kind_named("item_mean") is kind_named("item-mean")
    assert Settings.make({"kind": "item_mean"}).kind == "item-mean"
    folder = model(settings=Settings.make({"kind": "item-mean"})).fit(sample()).save(tmp_path / "m")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["kind"] == "item-mean"
    del manifest["checksum"]
    manifest |= {"kind": "item_mean", "config": {}}  # as Matinee 0.1 wrote it
    text = json.dumps({**manifest, "checksum": checksum(manifest)})
    (folder / "manifest.json").write_text(text, "utf-8")
    assert load_model(folder).kind == "item-mean"


def test_an_option_of_another_kind_is_an_error() -> None:
    for kind, changes, message in (
        ("autoencoder", {"mf.factors": 3}, "mf.factors has no effect on kind autoencoder, whose"),
        ("biased-mf", {"epochs": 3}, "train.epochs has no effect on kind biased-mf, whose section"),
        ("popularity", {"hidden": [3]}, "network.hidden has no effect on kind popularity"),
        ("lists", {"hidden": 3}, "'hidden' could be lists.net.hidden or lists.recvae.hidden"),
    ):
        with pytest.raises(UsageError, match=message):
            Settings.make({"kind": kind}).replace(changes)
    assert not Settings.make({"kind": "popularity"}).replace({"clip": False}).network.clip


def test_another_kind_drops_what_it_does_not_read() -> None:
    made = preset("accurate").replace({"kind": "bias", "epochs": 4, "clip": False})
    assert made == Settings.make(
        {"kind": "bias", "bias": {"epochs": 4}, "network": {"clip": False}}
    )
    with pytest.raises(UsageError, match=r"network\.hidden has no effect on kind bias"):
        preset("base").replace({"kind": "bias", "hidden": [3]})


def test_sections_of_other_kinds_at_their_defaults_are_left_out() -> None:
    """As the model folders of before have them, where every section was written."""
    plain = preset("base").model_dump(mode="json")
    for name in ("biased-mf", "sparsefc"):
        kind = kind_named(name)
        assert kind.settings is not None
        plain[kind.section] = kind.settings().model_dump(mode="json")
    assert Settings.make(plain) == preset("base")


def test_a_bare_name_means_the_option_of_the_kind() -> None:
    assert option_path("bias", "epochs") == ["bias", "epochs"]
    assert option_path("autoencoder", "epochs") == ["train", "epochs"]
    assert option_path("biased-mf", "user_ridge") == ["mf", "user_ridge"]
    with pytest.raises(UsageError, match="unknown key 'epoch'; did you mean 'epochs'"):
        option_path("autoencoder", "epoch")
