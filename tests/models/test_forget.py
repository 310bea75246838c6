"""Models without some of the people that they were trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from matinee import model
from matinee.models import forget, load_model
from matinee.testing.samples import sample

OPTIONS = {
    "autorec-item": {"epochs": 1},
    "bspm": {},
    "ease": {"solve": "users"},
    "default": {"epochs": 2, "hidden": [6], "validation": 0.2},
    "bayesian": {"sweeps": 6, "burn_in": 2, "columns": True},
}


@pytest.mark.usefixtures("stored_codes_are_kept")
@pytest.mark.parametrize("preset", OPTIONS)
def test_no_array_has_a_row_of_who_was_removed(preset: str, tmp_path: Path) -> None:
    made = model(preset, **OPTIONS[preset])  # type: ignore[arg-type]
    folder = made.fit(sample(), seed=3, progress=False).save(tmp_path / "model")

    def sizes() -> set[int]:
        arrays = load_file(folder / "weights.safetensors")
        return {
            size - name.endswith("indptr") for name, each in arrays.items() for size in each.shape
        }

    assert 60 in sizes()
    assert forget(str(folder), "104".__eq__) == 1
    assert 60 not in sizes()
    assert forget(folder, "104".__eq__) == 0


def test_an_update_keeps_the_count_of_people_removed(tmp_path: Path) -> None:
    folder = model("biased-mf").fit(sample()).save(tmp_path / "model")
    forget(folder, "104".__eq__)
    later = {"user": [105, 106], "item": ["item-01", "item-02"], "rating": [5.0, 1.0]}
    assert load_model(folder).update(later).record["removed"] == 1
