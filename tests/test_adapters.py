"""Matinee models in the evaluation of other libraries."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from matinee import BiasedMF, UnknownIdError, model
from matinee.lab.adapters import RecToolsModel, _scores, lenskit_scorer

pd = pytest.importorskip("pandas")


def dataset() -> SimpleNamespace:
    """What RecTools' ``Dataset`` gives a model."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((30, 20)) < 0.5)
    frame = pd.DataFrame({"user_id": users + 100, "item_id": items + 500})
    frame["weight"] = rng.integers(1, 6, len(users)).astype(float)
    return SimpleNamespace(get_raw_interactions=lambda: frame)


def test_lists_as_rectools_wants_them() -> None:
    data = dataset()
    adapted = RecToolsModel(BiasedMF(sweeps=2, factors=2)).fit(data)
    recommended = adapted.recommend([100, 101], data, k=3, filter_viewed=True)
    assert list(recommended.columns) == ["user_id", "item_id", "score", "rank"]
    seen = data.get_raw_interactions()
    both = recommended.merge(seen, on=["user_id", "item_id"])
    assert (len(recommended), len(both)) == (6, 0)
    again = adapted.model.recommend(users=[100, 101], k=3)
    assert recommended["item_id"].tolist() == again["item_id"].tolist()
    only = adapted.recommend([100], data, 3, False, items_to_recommend=[500, 501])
    assert set(only["item_id"]) == {500, 501}
    with pytest.raises(UnknownIdError):
        adapted.recommend([1], data, 3, True)
    assert len(adapted.recommend([1], data, 3, True, on_unsupported_targets="warn")) == 0


def test_weights_as_interactions() -> None:
    adapted = RecToolsModel(model("ease"), ratings=False).fit(dataset())
    frame = dataset().get_raw_interactions()
    assert adapted.model.histories is not None
    assert len(adapted.model.histories.items) == len(frame)
    assert len(adapted.recommend([100], dataset(), 3, True)) == 3


def test_scores_for_lenskit() -> None:
    fitted = BiasedMF(sweeps=2, factors=2)
    RecToolsModel(fitted).fit(dataset())
    history = {500: 5.0, 501: 1.0}
    predicted = _scores(fitted, history, [502, 503, 9], rank=False)
    wanted = fitted.predict("new", [502, 503], histories={"new": history})
    np.testing.assert_allclose(predicted[:2], wanted)
    assert np.isnan(predicted[2])
    ranked = _scores(fitted, history, [502, 503, 504], rank=True)
    lists = fitted.recommend([history], k=3, only=[502, 503, 504])
    order = np.array([502, 503, 504])[np.argsort(-ranked, kind="stable")]
    assert order.tolist() == lists["item_id"].tolist()


def test_a_pipeline_of_lenskit() -> None:
    pytest.importorskip("lenskit", reason="LensKit holds pandas back: it is tried apart")
    assert not lenskit_scorer(BiasedMF()).is_trained()
