from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

import matinee
from matinee.errors import install_command


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_it_imports_no_library() -> None:
    code = (
        "import sys, matinee\n"
        "print([m for m in ('torch', 'numba', 'numpy', 'duckdb', 'pydantic') if m in sys.modules])"
    )
    assert run(code) == "[]"


def test_data_and_scores_do_not_wait_for_torch() -> None:
    assert run("import sys, matinee; matinee.Ratings; print('torch' in sys.modules)") == "False"
    code = "import sys, matinee; matinee.load_model; print('scipy' in sys.modules)"
    assert run(code) == "False"


def test_public_names_are_there() -> None:
    assert set(matinee.__all__) <= set(dir(matinee))
    for name in matinee.__all__:
        assert getattr(matinee, name) is not None
    for name in ("Ratings", "Bias", "load_model", "errors", "UsageError", "evaluate"):
        assert getattr(matinee, name).__name__.endswith(name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="autoencoder"):
        matinee.autoencoder  # noqa: B018


def test_the_image_installs_what_serving_needs_but_torch() -> None:
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["serve"]
    names = {re.match(r"[\w-]+", each)[0] for each in needed} - {"torch"}  # type: ignore[index]
    steps = (root / "Dockerfile").read_text().replace("\\\n", " ")
    installed = re.search(r"-c \S+ ([\w\s-]+?) +&&", steps)
    assert installed is not None
    assert set(installed[1].split()) == names


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        ('{"url": "file:///a%20b/c", "dir_info": {"editable": true}}', "-e '/a b/c[serve]'"),
        ('{"url": "file:///a/c", "dir_info": {}}', "'matinee[serve]'"),
        (None, "'matinee[serve]'"),
    ],
)
def test_extras_of_a_clone_are_installed_from_it(
    monkeypatch: pytest.MonkeyPatch, origin: str | None, command: str
) -> None:
    monkeypatch.setattr(PathDistribution, "read_text", lambda *_: origin)
    assert install_command("serve") == f"pip install {command}"
