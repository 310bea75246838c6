"""Columns of items in networks: who reads them, what is saved, and what is refused."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from matinee.config import parse_settings, to_toml
from matinee.data import ItemTable, Ratings, SideColumns
from matinee.errors import UsageError
from matinee.models import Autoencoder, Ensemble, load_model, preset
from matinee.models.update import known_ratings
from matinee.testing import all_pairs, sample
from matinee.train import Epoch
from matinee.train.bayes.config import BayesianConfig

QUICK = {"hidden": [8], "epochs": 4, "validation": 0.1, "teachers": 1, "score_every": 1}
Model = partial(Autoencoder, device="cpu", **QUICK)

pytestmark = pytest.mark.usefixtures("one_thread")


def data() -> Ratings:
    """The sample, with a column of the items beside their genres."""
    ratings = sample()
    assert ratings.item_table is not None
    makers = np.array([f"maker {at % 3}" for at in range(ratings.n_items)], dtype=object)
    table = replace(ratings.item_table, columns=SideColumns({"maker": makers}))
    return replace(ratings, item_table=table)


def losses(model: Autoencoder) -> list[float]:
    return [epoch.loss for epoch in (*model.teacher_epochs, *model.epochs)]


def test_teachers_read_columns_and_the_student_does_not() -> None:
    plain, model = Model().fit(data(), seed=0), Model(columns=("maker",)).fit(data(), seed=0)
    assert losses(model) != losses(plain)
    assert model._trained.arrays["table_in"].shape == plain._trained.arrays["table_in"].shape
    alone = {"teacher": "none", "known_codes": "encoded"}
    without = Model(**alone).fit(data(), seed=0)
    assert losses(Model(columns=True, **alone).fit(data(), seed=0)) == losses(without)


def test_items_as_rows_come_back_with_their_columns(tmp_path: Path) -> None:
    model = Model(rows="items", columns=("maker", "genres"), shrink=False)
    model.fit(data(), seed=0)
    assert len(model._trained.arrays["table_in"]) == 2 * 60 + 3 + 2
    back = load_model(model.save(tmp_path / "model"))
    users, items = all_pairs(data())
    assert np.array_equal(back.predict(users, items), model.predict(users, items))
    table = known_ratings(back).item_table
    assert table is not None
    assert table.columns is not None
    assert list(table.columns.columns) == ["maker"]  # the table still has the genres itself
    assert table.side.columns["maker"][:4].tolist() == ["maker 0", "maker 1", "maker 2", "maker 0"]
    known = model._trained.known
    assert known is not None
    model._trained.known = replace(known, side=None)
    del model._trained._item_rows
    assert not np.allclose(model.predict(users, items), back.predict(users, items), atol=1e-3)


def test_members_of_an_ensemble_may_read_different_columns(tmp_path: Path) -> None:
    members = [
        {"set": {"rows": "items", "columns": ["maker"], "teacher": "none"}},
        {"set": {"rows": "items", "columns": False, "teacher": "none"}},
        {"set": {"rows": "items", "columns": ["genres"], "teacher": "none"}},
        {},
    ]
    settings = preset("default").replace({**QUICK, "members": members})
    model = Ensemble(settings=settings, device="cpu").fit(data(), seed=0)
    tables = [len(member.arrays["table_in"]) - 120 for member in model.members[:3]]  # type: ignore
    assert tables == [3, 0, 2]
    back = load_model(model.save(tmp_path / "model"))
    users, items = all_pairs(data())
    assert np.allclose(back.predict(users, items), model.predict(users, items), atol=1e-6)
    columns = back.side_columns[1]
    assert columns is not None
    assert sorted(columns.columns) == ["genres", "maker"]


@pytest.mark.parametrize("name", ["default", "bayesian"])
def test_names_stand_in_files_and_on_the_command_line(name: str) -> None:
    for given, expected in (
        ("columns=genres, year", ("genres", "year")),
        ("columns=genres", ("genres",)),
        ('columns=["genres", "year"]', ("genres", "year")),
        ("columns=true", True),
        ("columns=false", False),
    ):
        settings = preset(name).replace(parse_settings([given]))
        section = settings.network if name == "default" else settings.section(BayesianConfig)
        assert section.columns == expected
        again = type(settings).make(tomllib.loads(to_toml(settings)))
        assert again == settings


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no column 'makr'.*did you mean 'maker'"):
        Model(columns="makr").fit(data())
    with pytest.raises(UsageError, match=r"no column 'language'"):  # of people
        Model(columns="language").fit(data())
    with pytest.raises(UsageError, match="columns need input = 'presence'"):
        Model(columns=True, input="ratings")
    with pytest.raises(UsageError, match="with columns set it off"):
        Model(columns=True, refeed="dense")


def test_a_run_with_other_columns_is_not_resumed(tmp_path: Path) -> None:
    def stop(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    model = Model(rows="items", columns=("maker",))
    with pytest.raises(KeyboardInterrupt):
        model.fit(data(), seed=0, folder=tmp_path, on_epoch=stop)
    ratings = data()
    assert ratings.item_table is not None
    swapped = SideColumns({"maker": ratings.item_table.side.columns["maker"][::-1].copy()})
    table = ItemTable(ratings.item_table.titles, ratings.item_table.genres, swapped)
    with pytest.raises(UsageError, match="columns"):
        Model(rows="items", columns=("maker",)).fit(
            replace(ratings, item_table=table), seed=0, folder=tmp_path, resume=True
        )
    again = Model(rows="items", columns=("maker",)).fit(
        data(), seed=0, folder=tmp_path, resume=True
    )
    whole = Model(rows="items", columns=("maker",)).fit(data(), seed=0)
    assert losses(again) == losses(whole)
