"""The battery as people use it, with a model that another distribution declares."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MINE = """
from matinee.models import ModelKind
from matinee.models.kinds.popularity import Popularity

class Mine(Popularity):
    kind = "mine"

class Wrong(Popularity):
    def _predict(self, histories, rows, items):
        return super()._predict(histories, rows, items) + 1.0

KINDS = (ModelKind("mine", "mine:Mine", "A model of another distribution."),)
"""
TESTS = """
import pytest
from matinee.testing import ModelBattery, ModelCase
from mine import Mine, Wrong

CASES = [ModelCase("mine", Mine, learns=False), ModelCase("wrong", Wrong, learns=False)]

@pytest.mark.parametrize("case", CASES, ids=str)
class TestMine(ModelBattery):
    pass
"""


def distribution(folder: Path) -> dict[str, str]:
    """Install the model into a folder; the environment in which Python finds it."""
    (folder / "mine.py").write_text(MINE)
    metadata = folder / "mine-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[matinee.kinds]\nmine = mine\n")
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_a_model_of_another_distribution(tmp_path: Path) -> None:
    environment = distribution(tmp_path)
    file = tmp_path / "test_mine.py"
    file.write_text(TESTS)
    some = "lists_include or loaded_model"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        some,
        str(file),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed
    assert all("[wrong]" in line for line in failed), failed


def test_samples_need_no_pytest() -> None:
    code = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "import matinee.testing as t\n"
        "print(t.sample().n_users)\n"
        "from matinee.errors import UsageError\n"
        "try:\n    t.ModelBattery\n"
        "except UsageError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "60\nmatinee.testing needs pytest: pip install pytest\n"


def test_a_broken_entry_point_is_named(tmp_path: Path) -> None:
    environment = distribution(tmp_path)
    (tmp_path / "mine.py").write_text("")
    code = (
        "from matinee.models.registry import model_kinds\n"
        "from matinee.errors import UsageError\n"
        "try:\n    model_kinds()\n"
        "except UsageError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert "entry point mine = 'mine' of group matinee.kinds" in done.stdout
