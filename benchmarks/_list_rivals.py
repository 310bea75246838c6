"""Models of other libraries for the leaderboard of lists, behind the interface of ``Recommender``.

Each has its library's default settings, with 128 factors. What scores people by their histories
scores new people too; the others score those they were trained on.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from matinee.data import Histories
from matinee.errors import UsageError
from matinee.models.kinds.popularity import Popularity

FACTORS = 128
_DEPTH = 100
"""Length of RecTools' lists: places that are scored at most."""
Scores = npt.NDArray[np.float32]


def matrix(rows: Any, n_items: int) -> Any:
    """Who has what: ones, CSR (people, items)."""
    ones = np.ones(len(rows.indices), dtype=np.float32)
    return sparse.csr_matrix((ones, rows.indices, rows.indptr), shape=(rows.n_rows, n_items))


class Outside(Popularity):
    """A model that another library learns from the pairs of people and items."""

    def _learn(self, train: Any, rng: np.random.Generator, log: Any) -> None:
        self._fit_outside(matrix(train.by_user, train.n_items))

    def _fit_outside(self, pairs: Any) -> None:
        raise NotImplementedError

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        """Scores of all items, from the histories as a CSR matrix and the people's codes."""
        raise NotImplementedError

    def rank_scores_coded(
        self, histories: Histories, love: float | None = None, personal: float = 0.0
    ) -> Scores:
        """See ``Coded``."""
        pairs = matrix(histories.csr(self.n_items), self.n_items)
        return np.asarray(self._score(pairs, histories.users), dtype=np.float32)

    def _known(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        if (users < 0).any():
            raise UsageError(f"{type(self).__name__} scores only people it was trained on")
        return users


class ImplicitAls(Outside):
    """AlternatingLeastSquares of implicit, people folded in by its ``recalculate_user``."""

    def _fit_outside(self, pairs: Any) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        self._als = AlternatingLeastSquares(factors=FACTORS, random_state=0)
        self._als.fit(pairs, show_progress=False)

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        people = self._als.recalculate_user(np.arange(len(users)), histories)
        return people @ self._als.item_factors.T


class ImplicitBpr(Outside):
    """BayesianPersonalizedRanking of implicit."""

    def _fit_outside(self, pairs: Any) -> None:
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        self._bpr = BayesianPersonalizedRanking(factors=FACTORS, random_state=0)
        self._bpr.fit(pairs, show_progress=False)

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        return self._bpr.user_factors[self._known(users)] @ self._bpr.item_factors.T


class ImplicitBm25(Outside):
    """BM25Recommender of implicit: item-kNN."""

    def _fit_outside(self, pairs: Any) -> None:
        from implicit.nearest_neighbours import BM25Recommender

        self._nearest = BM25Recommender()
        self._nearest.fit(pairs, show_progress=False)

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        return (histories @ self._nearest.similarity).toarray()


def cornac_set(pairs: Any) -> Any:
    """Pairs as Cornac holds them, with our codes as its own."""
    from cornac.data import Dataset

    entries = pairs.tocoo()
    names = ({name: name for name in range(n)} for n in pairs.shape)
    columns = entries.row.astype(np.int64), entries.col.astype(np.int64), entries.data.astype(float)
    return Dataset(*pairs.shape, *names, columns)


class CornacEase(Outside):
    """EASE of Cornac, which by default leaves negative weights out."""

    def _fit_outside(self, pairs: Any) -> None:
        from cornac.models import EASE

        self._ease = EASE(verbose=False).fit(cornac_set(pairs))

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        return histories @ self._ease.B


class CornacBpr(Outside):
    """BPR of Cornac."""

    def _fit_outside(self, pairs: Any) -> None:
        from cornac.models import BPR

        self._bpr = BPR(k=FACTORS, seed=0).fit(cornac_set(pairs))

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        people = self._bpr.u_factors[self._known(users)]
        return people @ self._bpr.i_factors.T + self._bpr.i_biases


class RecTools(Outside):
    """A model of RecTools; its own lists are taken, of which each place is a score."""

    def _model(self) -> Any:
        raise NotImplementedError

    def _fit_outside(self, pairs: Any) -> None:
        import pandas as pd
        from rectools import Columns
        from rectools.dataset import Dataset

        entries = pairs.tocoo()
        frame = pd.DataFrame(
            {
                Columns.User: entries.row,
                Columns.Item: entries.col,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.Timestamp("2000-01-01"),
            }
        )
        self._dataset = Dataset.construct(frame)
        self._fitted = self._model().fit(self._dataset)

    def _score(self, histories: Any, users: npt.NDArray[np.int32]) -> Any:
        known = self._known(users)
        lists = self._fitted.recommend(known, self._dataset, k=_DEPTH, filter_viewed=True)
        order = np.argsort(known)
        rows = order[np.searchsorted(known, lists["user_id"].to_numpy(), sorter=order)]
        scores = np.full((len(users), self.n_items), -np.inf, dtype=np.float32)
        scores[rows, lists["item_id"].to_numpy()] = -lists["rank"].to_numpy()
        return scores


class RecToolsEase(RecTools):
    """EASEModel of RecTools."""

    def _model(self) -> Any:
        from rectools.models import EASEModel

        return EASEModel()


class RecToolsSvd(RecTools):
    """PureSVDModel of RecTools."""

    def _model(self) -> Any:
        from rectools.models import PureSVDModel

        return PureSVDModel(factors=FACTORS)


class RecToolsAls(RecTools):
    """ImplicitALSWrapperModel of RecTools: its ALS is that of implicit."""

    def _model(self) -> Any:
        from implicit.als import AlternatingLeastSquares
        from rectools.models import ImplicitALSWrapperModel

        return ImplicitALSWrapperModel(AlternatingLeastSquares(factors=FACTORS, random_state=0))


RIVALS: dict[str, tuple[str, type[Outside]]] = {
    "implicit-als": ("implicit", ImplicitAls),
    "implicit-bpr": ("implicit", ImplicitBpr),
    "implicit-bm25": ("implicit", ImplicitBm25),
    "cornac-ease": ("cornac", CornacEase),
    "cornac-bpr": ("cornac", CornacBpr),
    "rectools-ease": ("rectools", RecToolsEase),
    "rectools-pure-svd": ("rectools", RecToolsSvd),
    "rectools-als": ("rectools", RecToolsAls),
}
"""Models of other libraries: the library, which is a module as well, and the class."""
TITLES = {"implicit": "implicit", "cornac": "Cornac", "rectools": "RecTools"}


def why_not(library: str) -> str:
    """Why a library cannot be used here; empty where it can."""
    if importlib.util.find_spec(library) is None:
        return "not installed, skipped"
    try:
        importlib.import_module(library)
    except ImportError as error:
        return f"does not import ({error}), skipped"
    return ""
