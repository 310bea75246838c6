"""Lets the tests of this folder share the battery."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("battery", "matinee.testing")


@pytest.fixture(scope="module")
def stored_codes_are_kept() -> Iterator[None]:
    """Networks keep stored codes, for or against which a small validation part is no evidence."""
    from matinee.models.networks.trainer import Trainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_codes_are_better", lambda *_: True)
        yield
