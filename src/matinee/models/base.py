"""``Recommender``: the interface of every model. ``Hooks`` has the methods of a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..baseline.bias import fit_bias
from ..baseline.time_offset import fit_time_offset, last_times
from ..baseline.variance import fit_predictive_variance
from ..data import Histories, Ratings, RatingsLike, Table, as_ratings
from ..errors import UsageError, checked_seed
from ..recommend import HistoriesLike, Unknown
from ._coded import Predicting
from ._lists import allowed_items, tables
from .arguments import as_column, checked_length, checked_love, checked_personal
from .folder.provenance import Provenance
from .support import analysis, item_counts, suited
from .update import updated

if TYPE_CHECKING:
    from ..evaluate import Evaluation, ListEvaluation


class Recommender(Predicting):
    """A model that learns from ratings, predicts them and recommends.

    A subclass implements the methods of ``Hooks`` (``_fit``, ``_predict``, ``_scores``, ``_state``
    and ``_restore``) and is declared as a ``ModelKind``. This class handles validation, ids,
    unknown users and items, clipping, batches, evaluation and files. Predictions are made from
    *histories*, alike for known and new users.

    The attributes are set by ``fit`` and by loading.

    Attributes:
        user_ids: Ids of the users trained on.
        item_ids: Ids of the items trained on.
        item_table: Titles and genres of the items, or None.
        scale: Range of the ratings.
        bias: The bias model of the training ratings, which predicts for unknown users and items
            and for users without a history, unless ``answers_unknown``.
        histories: All training ratings by user (validation part included), to serve known users
            without the data; None if the model was saved without.
        predictive_variance: Model of the predictive standard deviation; None if saved without.
        interest: The scorer of interest; None if lists are ordered by predicted rating.
        preference: The probability that an item is liked, given its predicted rating.
        time_offset: Time-dependent offset of predictions after training; None if the
            training ratings had no times or no offset was fitted.
        last_rated: Time of each user's last training rating, if there is a time offset.
        love: Default exponent of the probability of liking in the ranking score.
        floor: Lower bound of the interest scores; see
            ``recommend.interest.Calibration``.
        provenance: The data and seed that the model was fitted with.
        record: Metadata saved with the model, JSON-serialisable; "split" and "metrics" are set by
            the command line.
    """

    # The public interface.

    def fit(self, train: RatingsLike, *, seed: int = 0, **options: Any) -> Self:
        """Fit the model to ratings.

        Args:
            train: Ratings of at least two users and two items, or what ``load`` takes.
            seed: Seed of all random numbers.
            **options: Options of the kind of model.

        Returns:
            The model itself.

        Raises:
            DataError: Fewer than two users or items, a repeated pair, or a non-finite value.
            UsageError: The seed is not an integer of at least 0; ``train`` are interactions, but
                the model needs ratings; or they have weights, and it takes none.
        """
        train = as_ratings(train, "train")
        seed = checked_seed(seed)
        data = suited(self.kind, train, self.takes_interactions, self.takes_weights)
        self._ready = False
        self.user_ids, self.item_ids = data.user_ids, data.item_ids
        self.item_table, self.scale = data.item_table, data.scale
        self.bias = fit_bias(data)
        self.histories = Histories.of(data.by_user)
        self.provenance = Provenance.of(data, seed)
        self.record = {}
        self._guard = self._item_counts = None
        self.predictive_variance = self.interest = self.preference = self.choice_rate = None
        self.time_offset = self.last_rated = None
        self._fit(data, seed, **options)
        errors = self._held_out_predictions(data)
        errors = replace(errors, predictions=self._clipped(errors.predictions))
        self.predictive_variance = fit_predictive_variance(
            self.bias, data.by_user, errors, self.scale
        )
        self._fit_lists(data, errors, seed)
        if self.takes_time_offset and (offset := fit_time_offset(data)) is not None:
            self.time_offset, self.last_rated = offset, last_times(data)
        self._ready = True
        return self

    def update(
        self, new: RatingsLike, *, seed: int = 0, epochs: int | None = None, **options: Any
    ) -> Self:
        """Update the model with new ratings, users and items, at a cost that grows with these.

        A network continues from its weights for a few epochs over the users with new ratings and
        as many ratings of other users. Its stored codes are updated in closed form, also for new
        users, and the scorer of interest is refitted with the same settings. Closed-form models,
        ensembles and networks with items as rows are retrained. Leak guard and fingerprint cover
        all ratings, as if the model had been trained on them at once.

        Args:
            new: The new ratings, or what ``load`` takes. A new rating replaces the earlier one of
                the same pair.
            seed: Seed of all random numbers.
            epochs: Epochs of a network; by default a tenth of those in its settings.
            **options: As for ``fit``: ``folder`` and ``resume``, ``progress``, ``on_epoch``.

        Returns:
            The model itself; it is unchanged if the update fails.

        Raises:
            DataError: No new ratings, or some outside the model's scale.
            UsageError: The model was saved without histories.
        """
        self._require_fitted()
        fresh = updated(self, as_ratings(new, "new"), seed, epochs, options)
        self.__dict__ = fresh.__dict__
        return self

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
        personal: float = 0.0,
    ) -> Table:
        """Recommend items to known or new users. New users need no retraining.

        Args:
            histories: Ratings of the users: ``Ratings``, a data frame, ``{user_id: {item_id:
                rating}}``, or a sequence of ``{item_id: rating}``, whose user ids are then 0, 1,
                2, ... By default, those of training.
            users: Ids of the users to recommend to, in this order; by default all.
            k: Length of the lists.
            exclude: Item ids never to recommend.
            only: The only item ids to recommend from; by default all.
            include_seen: Whether items of a user's history may be recommended.
            unknown: For unknown ids: "error", or "skip" to ignore them.
            with_std: Whether to add a column std, as in ``predict``. It does not affect the order.
            love: Exponent of the probability of liking in the ranking score, the model's if None:
                0 ranks by interest alone, ``math.inf`` by predicted rating, as without interest.
            personal: From -1 ("for anyone") to 1 ("more like me"); see ``personalised``.

        Returns:
            A table of user_id, item_id, score (float64, the ranking score), rank (int32, from 1),
            predicted (float64, the predicted rating, if it is not the score), std if requested,
            and title if known: in the order of the users, best first.

        Raises:
            UnknownIdError: An unknown user or item, unless ``unknown="skip"``.
            UsageError: Neither histories nor users (``recommend_all`` serves everyone), k < 1, or
                ``with_std`` with a model of interactions or one saved without standard deviations.
        """
        if histories is None and users is None:
            raise UsageError("pass histories or users; recommend_all() serves every known user")
        lists = self.recommend_all(
            histories,
            users=users,
            k=k,
            exclude=exclude,
            only=only,
            include_seen=include_seen,
            unknown=unknown,
            with_std=with_std,
            love=love,
            personal=personal,
        )
        return Table.concat(list(lists))

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
        personal: float = 0.0,
    ) -> Iterator[Table]:
        """``recommend`` for any number of users: yields one table for each batch of users.

        By default for every known user. ``data.write_tables`` writes such a stream. Memory
        does not grow with the number of users. Yields at least one table, which may be empty.
        """
        self._require_fitted()
        if with_std:
            self._require_ratings()
        k = checked_length(k)
        people = self._people(histories, unknown)
        if users is not None:
            people = people.pick(as_column(users), unknown)
        allowed = allowed_items(self, exclude, only, unknown)
        choices = include_seen, with_std, checked_love(love), checked_personal(personal)
        return tables(self, people, k, allowed, *choices)

    def evaluate(
        self,
        test: RatingsLike,
        *,
        histories: HistoriesLike | None = None,
        update: bool = False,
        time_offset: bool = True,
        allow_overlap: bool = False,
        seed: int = 0,
    ) -> Evaluation:
        """Evaluate the model on held-out ratings, with baselines.

        Args:
            test: Ratings the model was not trained on, or what ``load`` takes.
            histories: Ratings of the test users that the model sees, for users held out of
                training; by default those of training.
            update: Prequential evaluation: whether each rating is added to its user's history once
                it is scored, from the next second on (ratings of one second have no order). The
                model is not retrained. The score without updates is the baseline ``frozen``.
            time_offset: Whether to add the time offset if no test rating is earlier than the
                training ratings (``follows``). The score without it is the baseline
                ``no_time_offset``.
            allow_overlap: Whether to evaluate, and mark the result, even if test ratings were seen
                in training or are in ``histories``.
            seed: Seed of the bootstrap.

        Raises:
            LeakError: Test ratings were seen in training, unless ``allow_overlap``.
            DataError: An empty test set, or ``update`` without times.
            UsageError: The model was trained on interactions and predicts no ratings.
        """
        from ..evaluate import evaluate

        self._require_fitted()
        self._require_ratings()
        test, notes = _read_test(test)
        people, rows = self._people_and_rows(histories, test.user_ids.ids)
        applies = time_offset and self.follows(test)
        timed = self._timed_people(people) if applies else None
        evaluation = evaluate(
            self,
            test,
            people.histories,
            rows,
            timed=timed,
            update=update,
            allow_overlap=allow_overlap,
            seed=seed,
        )
        # Charts need predictions from fixed histories.
        analyse = None if update else analysis(self, test, people.histories, rows, seed, timed)
        return replace(evaluation, analyse=analyse, notes=(*notes, *evaluation.notes))

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
        """Evaluate the lists of ``recommend`` on held-out ratings, with baselines.

        All items are ranked for each user, except those of the user's history.

        Args:
            test: Ratings the model was not trained on, or what ``load`` takes.
            k: One or several cut-offs of the lists.
            relevant: The lowest relevant test rating; by default at three quarters of the scale,
                such as 4 of 1 to 5. All interactions are relevant.
            histories: See ``evaluate``.
            baselines: Some of "popularity" and "ease"; by default those that take seconds.
            allow_overlap: See ``evaluate``.
            seed: Seed of the bootstrap.
            trec: A folder to write the lists and the relevant items to as TREC files, ``run.txt``
                and ``qrels.txt``.

        Raises:
            LeakError: Test ratings were seen in training, unless ``allow_overlap``.
            DataError: An empty test set, or one without a relevant rating.
            UsageError: A k below 1, or an unknown baseline.
        """
        from ..evaluate import evaluate_lists

        test, notes = _read_test(test)
        people, rows = self._people_and_rows(histories, test.user_ids.ids)
        evaluation = evaluate_lists(
            self,
            test,
            people.histories,
            rows,
            k=k,
            relevant=relevant,
            counts=item_counts(self),
            baselines=baselines,
            allow_overlap=allow_overlap,
            seed=seed,
            trec=None if trec is None else Path(trec),
        )
        return replace(evaluation, notes=(*notes, *evaluation.notes))

    def save(
        self, path: Path | str, *, histories: bool = True, extra: dict[str, Any] | None = None
    ) -> Path:
        """Write a model folder, which contains everything needed for serving.

        Args:
            path: The folder. A model in it is replaced atomically.
            histories: Whether to include the training ratings, to serve known users. Without them a
                fingerprint of the pairs is written, for the leak guard. Models with items as rows,
                BSPM, GF-CF and closed forms over users keep them, as they predict from them.
            extra: Notes to add to ``record``: "split", "metrics", or any JSON-serialisable value.

        Raises:
            MatineeError: The folder cannot be written.
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
        from .interactive.html import model_html

        return model_html(self, getattr(self, "epochs", [])) if self._ready else None


def _read_test(test: RatingsLike) -> tuple[Ratings, tuple[str, ...]]:
    """Return test ratings, and the notes of reading them if they are read here."""
    ratings = as_ratings(test, "test")
    return ratings, () if ratings is test else ratings.notes
