"""Results that were made up, and the pages written from them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from matinee.data import split
from matinee.lab.report import write_model_report, write_study_report
from matinee.models import Bias
from matinee.synth import synthesize

sys.path.insert(0, str(Path(__file__).parent))

import plausible


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind, by name."""
    folder = tmp_path_factory.mktemp("pages")
    by_name = {}
    for make in (plausible.reference, plausible.depth_and_data, plausible.protocol):
        results = make()
        name = results.study.name
        by_name[name] = write_study_report(results, folder / f"{name}.html")
    world = synthesize(120, 60, 4000, seed=1)
    train, test = split(world.ratings, 0.2, 0)
    model = Bias().fit(train)
    by_name["model"] = write_model_report(model, test, folder / "model.html")
    return by_name
