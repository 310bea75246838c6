"""Models at a prompt, in notebooks and in scikit-learn's tools."""

from __future__ import annotations

import copy
import pickle
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from matinee import Bias, BiasedMF, Ratings, Scale, UsageError
from matinee.data import ItemTable
from matinee.models.interactive.bar import Bar, in_notebook
from matinee.train import Epoch


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((40, 30)) < 0.6)
    values = rng.integers(1, 6, len(users))
    titles = np.array([f"<b>{n}</b>" for n in range(30)], dtype=object)
    whole = Ratings.from_arrays(users, items, values, scale=Scale(1, 5))
    whole = replace(whole, item_table=ItemTable(titles))
    test = rng.random(len(users)) < 0.3
    return whole.take(~test), whole.take(test)


def an_epoch(number: int, *, teacher: bool = False) -> Epoch:
    return Epoch(number, 0.5, 0.7, 0.9, {"test": 0.95}, 0.0, 1.0, 10.0, teacher=teacher)


def test_a_bar_is_shown_where_it_is_asked_for(
    parts: tuple[Ratings, Ratings], capsys: pytest.CaptureFixture[str]
) -> None:
    BiasedMF(sweeps=2, factors=2).fit(parts[0])
    assert capsys.readouterr().err == ""  # stderr is no terminal here
    BiasedMF(sweeps=2, factors=2).fit(parts[0], progress=True)
    assert "2/2" in capsys.readouterr().err
    BiasedMF(sweeps=2, factors=2).fit(parts[0], progress=False)
    assert capsys.readouterr().err == ""


def test_the_bar_of_a_terminal_counts_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar({(0, True): 3, (0, False): 2}, None) as bar:
        bar(an_epoch(3, teacher=True))
        bar(an_epoch(2))
    assert "5/5" in screen.getvalue()
    assert "validation RMSE 0.9000" in screen.getvalue()


def test_the_bar_of_a_notebook_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    display = SimpleNamespace(
        HTML=lambda text: text,
        display=lambda page, display_id: (
            pages.append(page) or SimpleNamespace(update=pages.append)  # type: ignore[func-returns-value]
        ),
    )
    fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1), display=display)
    monkeypatch.setitem(sys.modules, "IPython", fake)  # type: ignore[arg-type]
    assert in_notebook()
    with Bar({(0, False): 2}, None) as bar:
        bar(an_epoch(1))
    assert 'value="0" max="2"' in pages[0]
    assert 'value="1" max="2"' in pages[1]
    assert "epoch 1" in pages[1]


def test_what_notebooks_show(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    model = BiasedMF(sweeps=2, factors=2)
    assert model._repr_html_() is None
    model.fit(train)
    score = model.evaluate(test)
    lists = model.evaluate_lists(test, k=5, baselines=["popularity"])
    table = model.recommend(users=[0], k=12)
    for shown in (train, model, score, lists, table):
        page: Any = shown._repr_html_()
        assert page.count("<table>") == page.count("</table>") > 0
        assert "<b>" not in page  # titles are escaped
    assert f"{score.rmse:.4f}" in score._repr_html_()
    for shown in (model, score, lists):
        assert "data:image/svg+xml;base64," in (shown._repr_html_() or "")
    assert "12 rows" in table._repr_html_()


def test_evaluations_as_frames_and_charts(parts: tuple[Ratings, Ratings]) -> None:
    train, test = parts
    model = Bias().fit(train)
    score = model.evaluate(test)
    frame = score.to_pandas()
    rmse = frame[(frame.model == "global_mean") & (frame.metric == "rmse")].iloc[0]
    assert rmse["value"] == score.baselines["global_mean"].rmse
    assert rmse["gain"] == pytest.approx(rmse["value"] - score.rmse)
    assert sum(pair.count for pair in score.plot.calibration().pairs) <= len(test)
    assert sum(score.plot.residuals().counts) == len(test)
    for chart in (score.plot.score(), score.plot.by_user(), score.plot.by_item()):
        assert chart._repr_svg_().startswith("<svg")
    assert score.plot.uncertainty().summary
    assert "analyse" not in score.as_dict()
    again = pickle.loads(pickle.dumps(model.evaluate(test)))
    assert again == score
    with pytest.raises(UsageError, match="without its model"):
        again.plot.calibration()
    later = model.evaluate(test)
    model.fit(train)
    with pytest.raises(UsageError, match="fitted again"):
        later.plot.residuals()


def test_options_by_the_conventions_of_scikit_learn(parts: tuple[Ratings, Ratings]) -> None:
    model = BiasedMF(factors=3).fit(parts[0])
    shallow, deep = model.get_params(deep=False), model.get_params()
    assert shallow.items() <= deep.items()
    assert deep["mf__factors"] == 3
    twin = model.clone()
    assert (twin.settings, twin.__sklearn_is_fitted__()) == (model.settings, False)
    assert model.score(parts[1]) == -model.evaluate(parts[1]).rmse
    assert model.set_params(factors=4, mf__sweeps=2) is model
    assert (model.get_params()["mf__factors"], model.get_params()["mf__sweeps"]) == (4, 2)
    assert not model.__sklearn_is_fitted__()
    with pytest.raises(UsageError, match="factors"):
        model.set_params(factor=4)
    assert copy.copy(model).get_params()["mf__factors"] == 4


def test_a_grid_search_of_scikit_learn(parts: tuple[Ratings, Ratings]) -> None:
    pd = pytest.importorskip("pandas")
    selection = pytest.importorskip("sklearn.model_selection")
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    train, test = parts
    frame = pd.DataFrame({"user": train.users, "item": train.items, "rating": train.values})
    folds = selection.KFold(2, shuffle=True, random_state=0)
    grid = {"sweeps": [1, 2]}
    fitted = selection.GridSearchCV(BiasedMF(factors=2), grid, cv=folds).fit(frame)
    assert fitted.best_params_["sweeps"] in (1, 2)
    assert fitted.best_score_ < 0
    assert fitted.score(test) == pytest.approx(-fitted.best_estimator_.evaluate(test).rmse)
    checks.check_get_params_invariance("BiasedMF", BiasedMF(factors=2))
    checks.check_estimator_cloneable("BiasedMF", BiasedMF(factors=2))
