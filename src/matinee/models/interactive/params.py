"""``Params``: options by name, by the conventions of scikit-learn."""

from __future__ import annotations

from abc import abstractmethod
from operator import attrgetter
from typing import Any, Self

from ...config import leaves
from ...data import RatingsLike, as_ratings
from ..registry import kind_named
from ..settings import Settings


class Params:
    """Options by name, for scikit-learn's search, cross-validation and ``clone``.

    ``sklearn.model_selection.GridSearchCV(model, {"hidden": [[50], [100]]}).fit(frame)`` divides
    the rows of a data frame of ratings. scikit-learn itself is not needed.

    Attributes:
        settings: The options.
        device: Where it trains.
    """

    settings: Settings
    device: str

    @abstractmethod
    def __init__(self, *, settings: Settings, device: str) -> None: ...

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options by name.

        Args:
            deep: Whether to include each option that this kind of model reads, under its full name
                with two underscores (``train__epochs``), besides ``settings`` and ``device``.
        """
        params: dict[str, Any] = {"settings": self.settings, "device": self.device}
        if deep:
            kind = kind_named(self.settings.kind)
            for section in (*kind.sections, "lists"):
                options = getattr(self.settings, section)
                for name, _ in leaves(type(options).model_fields, f"{section}."):
                    params[name.replace(".", "__")] = attrgetter(name)(self.settings)
        return params

    def set_params(self, **params: Any) -> Self:
        """Change options. The model becomes unfitted.

        Args:
            **params: By full name (``train__epochs``) or, where unambiguous, by its last part
                (``epochs``); ``settings`` replaces all of them.

        Raises:
            UsageError: No such option (with the nearest name), or a bad value.
        """
        settings = params.pop("settings", self.settings)
        device = params.pop("device", self.device)
        changed = {name.replace("__", "."): value for name, value in params.items()}
        if changed:
            settings = settings.replace(changed, "set_params")
        self.__dict__ = type(self)(settings=settings, device=device).__dict__
        return self

    def clone(self) -> Self:
        """Return an unfitted model with the same options."""
        return type(self)(settings=self.settings, device=self.device)

    def score(self, test: RatingsLike, y: None = None) -> float:
        """Return the negative RMSE on held-out ratings, or nDCG@10 on interactions.

        Args:
            test: Ratings the model was not trained on, or what ``load`` takes.
            y: Ignored; scikit-learn passes it.
        """
        ratings = as_ratings(test, "test")
        if ratings.implicit:
            return self.evaluate_lists(ratings, k=10, baselines=[]).value("ndcg", 10)  # type: ignore[attr-defined]
        rmse: float = self.evaluate(ratings).rmse  # type: ignore[attr-defined]
        return -rmse

    def __sklearn_clone__(self) -> Self:
        return self.clone()

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self._ready)  # type: ignore[attr-defined]

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags  # type: ignore[import-untyped, unused-ignore]

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))
