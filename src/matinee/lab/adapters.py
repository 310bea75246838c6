"""Matinee models in the evaluation of other libraries: RecTools and LensKit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..data import Ratings, load
from ..errors import UsageError
from ..models import Trainable

if TYPE_CHECKING:
    from pandas import DataFrame


class RecToolsModel:
    """A Matinee model for ``rectools.model_selection.cross_validate`` and RecTools' metrics.

    It has the interface of RecTools models (0.12 to 0.19), without importing RecTools.

    Args:
        model: The model, refitted at each ``fit``.
        ratings: Whether the weights of the interactions are ratings; otherwise they are weights.
        seed: As for ``Trainable.fit``.
    """

    require_recommend_context = False
    recommends_for_warm = False
    recommends_for_cold = False

    def __init__(self, model: Trainable, *, ratings: bool = True, seed: int = 0) -> None:
        self.model, self.ratings, self.seed = model, ratings, seed
        self.is_fitted = False

    def fit(self, dataset: Any, *args: Any, **kwargs: Any) -> Self:
        """Fit on a ``rectools.dataset.Dataset``."""
        log = dataset.get_raw_interactions()
        value = "rating" if self.ratings else "weight"
        names = {"user_id": "user_id", "item_id": "item_id", "weight": value}
        self.model.fit(_of_log(log, names), seed=self.seed, progress=False)
        self.is_fitted = True
        return self

    def recommend(
        self,
        users: Iterable[Any],
        dataset: Any,
        k: int,
        filter_viewed: bool,
        items_to_recommend: Iterable[Any] | None = None,
        add_rank_col: bool = True,
        on_unsupported_targets: str = "raise",
        context: Any = None,
    ) -> DataFrame:
        """Return the lists in RecTools' format: user_id, item_id, score and rank.

        Unknown users are left out, unless ``on_unsupported_targets`` is "raise".

        Raises:
            UnknownIdError: Such a user, with "raise".
        """
        table = self.model.recommend(
            users=list(users),
            k=k,
            only=items_to_recommend,
            include_seen=not filter_viewed,
            unknown="error" if on_unsupported_targets == "raise" else "skip",
        )
        frame: DataFrame = table.to_pandas()[["user_id", "item_id", "score", "rank"]]
        return frame if add_rank_col else frame.drop(columns="rank")


def lenskit_scorer(model: Trainable, *, rank: bool = True, seed: int = 0) -> Any:
    """Return a Matinee model as a scorer of a LensKit pipeline (2025 and later).

    ``lenskit.pipeline.topn_pipeline(lenskit_scorer(model))`` is a recommender that LensKit trains,
    runs in batches and evaluates.

    Args:
        model: The model, refitted when the pipeline is trained.
        rank: Whether to score by the order of lists; otherwise by the predicted rating, as for
            ``lenskit.pipeline.predict_pipeline``.
        seed: As for ``Trainable.fit``.

    Raises:
        UsageError: LensKit is not installed.
    """
    try:
        from lenskit.data import Dataset, ItemList, RecQuery
        from lenskit.pipeline import Component
        from lenskit.training import Trainable as LensKitTrainable, TrainingOptions
    except ImportError:
        raise UsageError("LensKit is not installed; run: pip install lenskit") from None

    class Scorer(Component[ItemList], LensKitTrainable):  # type: ignore[misc]
        """Scores the candidates of one query."""

        config: None

        def train(self, data: Dataset, options: TrainingOptions) -> None:
            log = data.interaction_table(format="pandas", original_ids=True)
            names = {name: name for name in ("user_id", "item_id", "rating") if name in log}
            model.fit(_of_log(log, names), seed=seed, progress=False)

        def is_trained(self) -> bool:
            return bool(model.__sklearn_is_fitted__())

        def __call__(self, query: RecQuery, items: ItemList) -> ItemList:
            known = query.history_items
            ids = np.array([]) if known is None else known.ids()
            ratings = None if known is None else known.field("rating")
            values = np.full(len(ids), model.scale.high) if ratings is None else np.asarray(ratings)
            history = dict(zip(ids.tolist(), values.tolist(), strict=True))
            scores = _scores(model, history, items.ids(), rank=rank)
            return ItemList(items, scores=scores)

    # LensKit wires a component by the types of its call, as objects.
    types = {"query": RecQuery, "items": ItemList, "return": ItemList}
    Scorer.__call__.__annotations__.update(types)
    return Scorer()


def _of_log(log: DataFrame, names: dict[str, str]) -> Ratings:
    """Return ratings of a table of interactions, by its columns and their names here."""
    return load({name: log[column].to_numpy() for column, name in names.items()})


def _scores(
    model: Trainable, history: dict[Any, float], items: Any, *, rank: bool
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return scores of items for one user; NaN for unknown items."""
    from ..recommend import code_people

    people = code_people([history], model.item_ids, model.scale_of_histories, "skip")
    codes = model.item_ids.encode(np.asarray(items))
    if not rank:
        scores = model.predict_coded(people.histories, np.zeros(len(codes), dtype=np.int64), codes)
        return np.where(codes < 0, np.nan, scores)
    every = model.rank_scores_coded(people.histories)[0].astype(np.float64)
    return np.where(codes < 0, np.nan, every[codes])
