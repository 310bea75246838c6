"""``Recommender``: what every model can do. ``Hooks`` has what a new one has to bring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float64, Int64
from ..baseline.bias import fit_bias
from ..baseline.variance import fit_predictive_variance
from ..data import Histories, RatingsLike, Table, as_ratings, fingerprint
from ..errors import UsageError
from ..evaluate import Evaluation, ListEvaluation, evaluate, evaluate_lists
from ..recommend import HistoriesLike, People, Unknown, code_people
from ._coded import Coded
from ._lists import allowed_items, checked_love, tables
from .folder.provenance import Provenance
from .interactive.html import model_html
from .support import analysis, as_column, checked, item_counts


class Recommender(Coded):
    """A model that learns from ratings, predicts them and recommends.

    A subclass implements the methods of ``Hooks`` (``_fit``, ``_predict``, ``_scores``, ``_state``
    and ``_restore``) and is declared as a ``ModelKind``; checks, ids, unknown people and items,
    clipping, batches, evaluation and files are settled here. It is asked about *histories*:
    it must answer for a person it never met as for one it was trained on.

    Attributes (after ``fit`` or loading):
        user_ids: Ids of the users trained on.
        item_ids: Ids of the items trained on.
        item_table: Titles and genres of the items, or None.
        scale: Range of the ratings.
        bias: The bias model of the training ratings; it answers for whom and what ``_predict``
            cannot: unknown people and items, and people with no history. (A mean answers itself:
            ``answers_unknown``.)
        histories: All training ratings by user (validation part included), so that known users
            can be served with no data present; None where the model was saved without.
        predictive_variance: Gives the standard deviation of each prediction's error; None in models
            saved without it.
        interest: Scores which items a person chooses; None where lists are ordered by the
            predicted rating.
        preference: The probability that a predicted rating means that the item is liked.
        love: Exponent of that probability in the order of lists, by default.
        floor: Score of interest below which all items count alike in that order; see
            ``recommend.interest.Calibration``.
        provenance: What the model was fitted on.
        record: Free notes kept with the model, JSON-able; "split" and "metrics" are well known.
    """

    # What every model does.

    def fit(self, train: RatingsLike, *, seed: int = 0, **options: Any) -> Self:
        """Learn from ratings.

        Args:
            train: Ratings of at least two users and two items, or what ``load`` takes.
            seed: Seeds all that is random.
            **options: The model's own.

        Returns:
            The model itself.

        Raises:
            DataError: Fewer than two users or items, a repeated pair, or a value not finite.
            UsageError: A seed that is no whole number of at least 0; or interactions, from which
                the model cannot learn.
        """
        train = as_ratings(train, "train")
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise UsageError(f"seed must be a whole number of at least 0, not {seed!r}")
        seed = int(seed)
        if not self.takes_interactions:
            instead = "train a list model, such as the presets lists and ease"
            train.require_ratings(f"the model {self.kind}", instead)
        data = checked(train)
        self._ready = False
        self.user_ids, self.item_ids = data.user_ids, data.item_ids
        self.item_table, self.scale = data.item_table, data.scale
        self.bias = fit_bias(data)
        self.histories = Histories.of(data.by_user)
        self.provenance = Provenance(data.name, len(data), fingerprint(data), seed, data.notes)
        self.record = {}
        self._guard = self._item_counts = None
        self.predictive_variance = self.interest = self.preference = None
        self._fit(data, seed, **options)
        errors = self._held_out_predictions(data)
        errors = replace(errors, predictions=self._clipped(errors.predictions))
        self.predictive_variance = fit_predictive_variance(
            self.bias, data.by_user, errors, self.scale
        )
        self._fit_lists(data, errors, seed)
        self._ready = True
        return self

    @overload
    def predict(
        self,
        users: Any,
        items: Any,
        *,
        histories: HistoriesLike | None = None,
        with_std: Literal[False] = False,
    ) -> Float64: ...

    @overload
    def predict(
        self,
        users: Any,
        items: Any,
        *,
        histories: HistoriesLike | None = None,
        with_std: Literal[True],
    ) -> tuple[Float64, Float64]: ...

    def predict(
        self,
        users: Any,
        items: Any,
        *,
        histories: HistoriesLike | None = None,
        with_std: bool = False,
    ) -> Float64 | tuple[Float64, Float64]:
        """Predict ratings.

        An unknown user or item, or a user with no history, is no error: the bias model answers,
        with the mean and what is known of the other side. A mean (``GlobalMean``, ``ItemMean``,
        ``UserMean``) answers itself.

        Args:
            users: External user ids, shape (n,), or one for all items.
            items: External item ids, shape (n,), or one for all users.
            histories: What the users have rated, by their ids; by default what they rated in
                training. Items the model does not know are left out of them.
            with_std: Whether to give a standard deviation with each: how far off it may be.

        Returns:
            float64, shape (n,); with ``with_std``, predictions and standard deviations, such that
            a rating lies within 1.96 of the latter in 95 cases of 100 (``docs/python.md``).

        Raises:
            UsageError: The shapes do not fit, or the model carries no histories and none are given;
                or ``with_std`` of a model that was saved without.
        """
        people = self._people(histories, "skip")
        try:
            user, item = np.broadcast_arrays(as_column(users), as_column(items))
        except ValueError:
            raise UsageError("users and items differ in length") from None
        rows = self._rows(people, histories is None, user)
        codes = self.item_ids.encode(item)
        if with_std:
            return self.predict_coded_std(people.histories, rows, codes)
        return self.predict_coded(people.histories, rows, codes)

    def recommend(
        self,
        histories: HistoriesLike | None = None,
        *,
        users: Iterable[Any] | None = None,
        k: int = 10,
        exclude: Iterable[Any] = (),
        only: Iterable[Any] | None = None,
        include_seen: bool = False,
        unknown: Unknown = "error",
        with_std: bool = False,
        love: float | None = None,
    ) -> Table:
        """Recommend items to people, known or new. New people need no retraining.

        Args:
            histories: What people have rated: ``Ratings``, ``{user_id: {item_id: rating}}``, or a
                sequence of ``{item_id: rating}``, whose user ids are then 0, 1, 2, ... By default,
                what known users rated in training.
            users: Which of these people to serve, by id, in this order; by default all of them.
            k: Items per person, at most.
            exclude: Item ids never to recommend.
            only: The only item ids to recommend from; by default all.
            include_seen: Whether items of a person's own history may be recommended.
            unknown: What to do about unknown ids: "error", or "skip" to leave them out.
            with_std: Whether to add a column std, as in ``predict``. The order is by score alone.
            love: What the predicted rating counts in the order, from 0 for nothing, which lists
                what a person would choose, upwards; ``math.inf`` orders by it alone. The model's
                own by default. Where a model has no scorer of interest it changes nothing.

        Returns:
            A table of user_id, item_id, score (float64, what the order is by), rank (int32, from
            1), predicted (float64, the predicted rating, where the score is another), std if asked
            for and, where titles are known, title: by person in the order given, best first.

        Raises:
            UnknownIdError: An unknown user or item, unless ``unknown="skip"``.
            UsageError: Neither histories nor users (``recommend_all`` serves everyone), or k < 1.
        """
        if histories is None and users is None:
            raise UsageError("pass histories or users; recommend_all() serves every known user")
        return Table.concat(
            list(
                self.recommend_all(
                    histories,
                    users=users,
                    k=k,
                    exclude=exclude,
                    only=only,
                    include_seen=include_seen,
                    unknown=unknown,
                    with_std=with_std,
                    love=love,
                )
            )
        )

    def recommend_all(
        self,
        histories: HistoriesLike | None = None,
        *,
        users: Iterable[Any] | None = None,
        k: int = 10,
        exclude: Iterable[Any] = (),
        only: Iterable[Any] | None = None,
        include_seen: bool = False,
        unknown: Unknown = "error",
        with_std: bool = False,
        love: float | None = None,
    ) -> Iterator[Table]:
        """Like ``recommend``, for any number of people: yields a table per batch of them.

        With no arguments, for every known user. ``data.write_tables`` writes such a stream.
        Memory is bounded whatever the number of people. At least one table comes, even if empty.
        """
        self._require_fitted()
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise UsageError(f"k must be a whole number of at least 1, not {k!r}")
        people = self._people(histories, unknown)
        if users is not None:
            people = people.pick(as_column(users), unknown)
        allowed = allowed_items(self, exclude, only, unknown)
        return tables(self, people, int(k), allowed, include_seen, with_std, checked_love(love))

    def evaluate(
        self,
        test: RatingsLike,
        *,
        histories: HistoriesLike | None = None,
        update: bool = False,
        allow_overlap: bool = False,
        seed: int = 0,
    ) -> Evaluation:
        """Score the model on held-out ratings, beside the baselines.

        Args:
            test: Ratings the model was not trained on, or what ``load`` takes.
            histories: What the test users are known to have rated, for users held out of training;
                by default what known users rated in training.
            update: Whether each rating, once it is scored, is part of its person's history
                (prequential evaluation): from the next second on, as ratings of one second have
                no order. What the model was trained on stays as it is. Its score without is then
                among the baselines, as ``frozen``.
            allow_overlap: Whether to go on, with a mark on the result, where test ratings were
                seen in training or stand in ``histories``.
            seed: Seeds the bootstrap of the intervals.

        Raises:
            LeakError: Test ratings were seen in training, unless ``allow_overlap``.
            DataError: An empty test set, or one without times to update by.
        """
        test = as_ratings(test, "test")
        people = self._people(histories, "skip")
        rows = self._rows(people, histories is None, test.user_ids.ids)
        found = evaluate(
            self,
            test,
            people.histories,
            rows,
            update=update,
            allow_overlap=allow_overlap,
            seed=seed,
        )
        if update:  # the charts are of predictions from fixed histories
            return found
        return replace(found, analyse=analysis(self, test, people.histories, rows, seed))

    def evaluate_lists(
        self,
        test: RatingsLike,
        *,
        k: int | Sequence[int] = (10, 20),
        relevant: float | None = None,
        histories: HistoriesLike | None = None,
        baselines: Sequence[str] | None = None,
        allow_overlap: bool = False,
        seed: int = 0,
        trec: Path | str | None = None,
    ) -> ListEvaluation:
        """Score the lists of ``recommend`` on held-out ratings, beside those of baselines.

        All items are ranked for everybody, except those of the person's history.

        Args:
            test: Ratings the model was not trained on, or what ``load`` takes.
            k: The lengths of the lists, one or several.
            relevant: The lowest test rating that counts as relevant; by default three quarters up
                the scale, so 4 of 1 to 5, and all of interactions.
            histories: As for ``evaluate``.
            baselines: Of "popularity" and "ease"; by default those that take seconds.
            allow_overlap: As for ``evaluate``.
            seed: Seeds the bootstrap of the intervals.
            trec: A folder for the lists and the relevant items as TREC files, ``run.txt`` and
                ``qrels.txt``.

        Raises:
            LeakError: Test ratings were seen in training, unless ``allow_overlap``.
            DataError: An empty test set, or one without a relevant rating.
            UsageError: A k below 1, or no such baseline.
        """
        test = as_ratings(test, "test")
        people = self._people(histories, "skip")
        return evaluate_lists(
            self,
            test,
            people.histories,
            self._rows(people, histories is None, test.user_ids.ids),
            k=k,
            relevant=relevant,
            counts=item_counts(self),
            baselines=baselines,
            allow_overlap=allow_overlap,
            seed=seed,
            trec=None if trec is None else Path(trec),
        )

    def save(
        self, path: Path | str, *, histories: bool = True, extra: dict[str, Any] | None = None
    ) -> Path:
        """Write a model folder: all that serving needs, with no training data present.

        Args:
            path: The folder. An older model there is replaced, and stays whole if interrupted.
            histories: Whether to carry the training ratings, for serving known users. Without
                them a fingerprint of the pairs is kept, so that the leak guard still works.
            extra: Notes to add to ``record``: "split", "metrics", or any JSON-able value.

        Raises:
            MatineeError: The folder cannot be written to.
        """
        from .folder.write import save

        return save(self, Path(path).expanduser(), histories=histories, extra=extra)

    def __repr__(self) -> str:
        if not self._ready:
            return f"{type(self).__name__}(not fitted)"
        return (
            f"{type(self).__name__}(fitted on {self.provenance.dataset!r}: "
            f"{self.n_users:,} users, {self.n_items:,} items)"
        )

    def _repr_html_(self) -> str | None:
        return model_html(self, getattr(self, "epochs", [])) if self._ready else None

    # How they do it.

    def _people(self, given: HistoriesLike | None, unknown: Unknown) -> People:
        self._require_fitted()
        if given is not None:
            return code_people(given, self.item_ids, self.scale, unknown)
        if self.histories is None:
            raise UsageError(
                "this model was saved without its users' histories; pass histories=..."
            )
        return People(self.histories, self.user_ids.ids)

    def _rows(self, people: People, known: bool, users: npt.NDArray[Any]) -> Int64:
        return self.user_ids.encode(users).astype(np.int64) if known else people.rows(users)
