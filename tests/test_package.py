from __future__ import annotations

import subprocess
import sys

import pytest

import matinee


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
