"""Predictions and ranking scores by user and item codes, and predictions by external ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, overload

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int32, Int64
from ..baseline.preference import fit_preference
from ..baseline.time_offset import NEVER, NOW, TimedPeople, last_times, with_offsets
from ..baseline.variance import HeldOutPredictions
from ..data import Histories, Ratings
from ..data.values.weights import weighted_by_age
from ..errors import TrainingError, UsageError
from ..recommend import (
    LARGEST_POWER,
    HistoriesLike,
    People,
    Unknown,
    code_people,
    personalised,
    ranking_score,
    without_dislikes,
)
from ._answers import answers
from .arguments import as_histories, checked_length, paired
from .hooks import Hooks

Times = int | np.datetime64 | Array | list[Any]
_MILLISECONDS = 100_000_000_000
"""Times from this value on (the year 5138 in seconds) are taken for milliseconds."""
_PEOPLE = 256
"""Users whose probabilities of all items are held in memory at once."""


class Coded(Hooks):
    """The internal interface of ``Recommender``, with codes instead of ids."""

    def predict_coded(
        self, histories: Histories, rows: Int64, items: Int32, *, clip: bool = True
    ) -> Float64:
        """Predict ratings; ``predict`` with codes instead of ids.

        Args:
            histories: Histories of users, with this model's item codes.
            rows: The row in ``histories`` of each prediction, shape (n,); -1 for an unknown user.
            items: Item codes, shape (n,); -1 for an unknown item.
            clip: Whether to clip to the scale, if the model clips.

        Returns:
            float64, shape (n,).
        """
        out, _ = answers(self, histories, rows, items)
        return self._clipped(out) if clip else out

    def predict_coded_std(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64]:
        """Return ``predict_coded`` and predictive standard deviations, both float64 (n,).

        ``predictions`` are the unclipped output of ``predict_coded``, if already computed.

        Raises:
            UsageError: The model was saved without a predictive variance.
        """
        if self.predictive_variance is None:
            raise UsageError("this model was saved without standard deviations; train it again")
        out, std = answers(self, histories, rows, items, self.predictive_variance, predictions)
        return self._clipped(out), std

    def scores_coded(self, histories: Histories) -> Float32:
        """Return unclipped predictions of all items, float32 (users, n_items)."""
        with_history = np.flatnonzero(histories.counts > 0)
        if 0 < len(with_history) == len(histories):
            scores = self._scores(histories)
        else:
            scores = np.empty((len(histories), self.n_items), dtype=np.float32)
            items = np.arange(self.n_items, dtype=np.int32)
            scores[:] = self._unknown(histories, np.full(self.n_items, -1), items)
            if len(with_history):
                scores[with_history] = self._scores(histories.take(with_history))
        return _finite(scores)

    def rank_scores_coded(
        self, histories: Histories, love: float | None = None, personal: float = 0.0
    ) -> Float32:
        """Return ranking scores of all items, float32 (users, n_items); higher is better.

        The score is interest times the probability of liking to the power of ``love``, or, without
        a scorer of interest, the unclipped prediction. ``recommend``, the evaluation of lists and
        the server all rank by it.

        Args:
            histories: Histories of the users.
            love: Exponent; by default the model's. 0 ranks by interest alone, infinity by predicted
                rating alone.
            personal: How much the personalised part counts, from -1 to 1; see ``recommend``.
        """
        return self.ranking_coded(histories, love, personal)[0]

    def ranking_coded(
        self, histories: Histories, love: float | None = None, personal: float = 0.0
    ) -> tuple[Float32, Float32 | None]:
        """Return ``rank_scores_coded`` and the unclipped predictions that went into it.

        Returns:
            The scores and the predictions, float32 (users, n_items); None in place of predictions
            that equal the scores or were not needed.
        """
        love = self.love if love is None else love
        scores, predictions = self._ranking(histories, love)
        if not personal:
            return scores, predictions
        by_rating = self.orders_by_rating(love)
        # With a large exponent nearly all scores vanish and no longer measure popularity.
        baseline_love = love if by_rating else min(love, 1.0)
        baseline, _ = self._ranking(Histories.build([([], [])]), baseline_love)
        if by_rating:
            predictions = scores
        elif love > LARGEST_POWER and predictions is not None:
            personal /= love  # the scores are roots, see ranking_score
        # Scores that include the probability of liking are products, no longer logits.
        logits = self.interest is not None and self.interest.logits and predictions is None
        out = personalised(scores, baseline, personal, by_rating, logits and not by_rating)
        if logits:  # without a history the scores are those of popularity
            empty = np.flatnonzero(self._choices(histories).counts == 0)
            if len(empty):
                out[empty] = personalised(scores[empty], baseline, personal, by_rating)
        return out, predictions

    def orders_by_rating(self, love: float | None = None) -> bool:
        """Whether the ranking scores with this ``love`` are predicted ratings."""
        return self.ranks_by_rating or (love == np.inf and self.knows_ratings)

    def _ranking(self, histories: Histories, love: float) -> tuple[Float32, Float32 | None]:
        """Compute ``ranking_coded`` without personalisation."""
        if self.interest is None or self.orders_by_rating(love):
            return self.scores_coded(histories), None
        scores, predictions = self.interest.scores(self._choices(histories)), None
        if love and self.preference is not None:
            predictions = self.scores_coded(histories)
            ranking_score(scores, self.preference.probability(predictions), love, self.floor)
        return _finite(scores), predictions

    def _choices(self, histories: Histories) -> Histories:
        """Return the histories that are evidence of interest; see ``without_dislikes``."""
        if self.preference is None:
            return histories
        return without_dislikes(histories, self.scale, self.bias.mean)

    def rank_scores_by_love(
        self, histories: Histories, loves: Sequence[float]
    ) -> Iterator[Float32]:
        """Yield ``rank_scores_coded`` for each of several exponents.

        Interest and predicted ratings are computed once for all of them.
        """
        if self.interest is None or self.preference is None:
            for love in loves:
                yield self.rank_scores_coded(histories, love)
            return
        interest = self.interest.scores(self._choices(histories))
        predictions = self.scores_coded(histories)
        like_probability = self.preference.probability(predictions)
        for love in loves:
            if love == np.inf:
                yield predictions.copy()
                continue
            scores = interest.copy()
            yield _finite(
                ranking_score(scores, like_probability, love, self.floor) if love else scores
            )

    def choice_coded(self, histories: Histories, rows: Int64, items: Int32, k: int) -> Float64:
        """Return ``choice_probability`` by codes; 0 for unknown items and items of the history.

        Args:
            histories: Histories of the users.
            rows: The row in ``histories`` of each probability, shape (n,); -1 without a history.
            items: Item codes, shape (n,); -1 for an unknown item.
            k: Number of future choices.

        Raises:
            UsageError: The model has no calibrated choice rate, or k < 1.
        """
        k = checked_length(k)
        if self.interest is None or self.choice_rate is None:
            raise UsageError(
                "this model has no calibrated probability of a choice; train the preset lists, "
                "ials, item-knn, bspm or gf-cf on people with several interactions each"
            )
        out = np.zeros(len(rows))
        people = np.append(np.arange(len(histories)), -1)
        for start in range(0, len(people), _PEOPLE):
            batch = people[start : start + _PEOPLE]
            entries = np.flatnonzero(np.isin(rows, batch) & (items >= 0))
            if not len(entries):
                continue
            batch_rows, position = np.unique(rows[entries], return_inverse=True)
            asked = histories.take_or_empty(batch_rows)
            scores = self.interest.scores(asked)
            seen = np.zeros(scores.shape, dtype=np.bool_)
            seen[asked.entry_rows, asked.items] = True
            share = self.choice_rate.shares(scores, seen)[position, items[entries]]
            out[entries] = -np.expm1(k * np.log1p(-np.minimum(share, 1.0 - 1e-12)))
        return out

    def _fit_lists(self, data: Ratings, errors: HeldOutPredictions, seed: int) -> None:
        """Fit the scorer of interest and its calibration."""
        if not data.implicit:
            targets = data.by_user.values[errors.entries]
            # Leave-one-out errors of the bias model do not estimate this model's errors.
            error = None
            if errors.source == "bias":
                error = float(np.sqrt(np.mean(np.square(errors.predictions - targets))))
            fitted = fit_preference(errors.predictions, targets, self.scale, self._like(), error)
            self.preference = replace(fitted, link=self.link)
        interest = self._fit_interest(data, seed)
        if interest is not None:
            self.interest, self.choice_rate = interest.interest, interest.rate
            self.love, self.floor = interest.calibration.love, interest.calibration.floor
            from ..recommend.interest import NOTED

            self.provenance = self.provenance.noted(NOTED, interest.notes)


class Predicting(Coded):
    """Predictions by external ids of users and items."""

    @overload
    def predict(
        self,
        users: Any,
        items: Any,
        *,
        histories: HistoriesLike | None = None,
        times: Times | None = None,
        with_std: Literal[False] = False,
    ) -> Float64: ...

    @overload
    def predict(
        self,
        users: Any,
        items: Any,
        *,
        histories: HistoriesLike | None = None,
        times: Times | None = None,
        with_std: Literal[True],
    ) -> tuple[Float64, Float64]: ...

    def predict(
        self,
        users: Any,
        items: Any,
        *,
        histories: HistoriesLike | None = None,
        times: Times | None = None,
        with_std: bool = False,
    ) -> Float64 | tuple[Float64, Float64]:
        """Predict ratings.

        For an unknown user or item, or a user without a history, the bias model predicts: the mean
        plus the bias of the known side, if any. ``GlobalMean``, ``ItemMean`` and ``UserMean``
        predict by their own means.

        Args:
            users: External user ids, shape (n,), or one for all items.
            items: External item ids, shape (n,), or one for all users.
            histories: Ratings of the users, as for ``recommend``; by default those of training.
                Unknown items in them are ignored.
            times: When each rating would be given (after all training ratings): seconds since 1970
                or ``datetime64``, shape (n,), or one for all. Adds the model's time offset, if it
                has one (``docs/training.md``). For users with ratings the offset depends on the
                days since the last one; it is 0 where ``histories`` have no times.
            with_std: Whether to return predictive standard deviations.

        Returns:
            float64, shape (n,); with ``with_std``, also standard deviations, such that 95% of
            ratings are within 1.96 of them (``docs/python.md``).

        Raises:
            UsageError: The shapes do not match, a time precedes the newest training rating, the
                model was saved without histories and none are passed, or it was saved without a
                predictive variance.
        """
        user, item = paired(users, items)
        people, rows = self._people_and_rows(histories, user)
        codes = self.item_ids.encode(item)
        self._require_ratings()
        offsets = None if times is None else self._offsets(people, rows, times)
        if with_std:
            predicted, std = self.predict_coded_std(people.histories, rows, codes)
            return with_offsets(self, predicted, offsets), std
        return with_offsets(self, self.predict_coded(people.histories, rows, codes), offsets)

    def choice_probability(
        self, users: Any, items: Any, *, k: int = 10, histories: HistoriesLike | None = None
    ) -> Float64:
        """Return the calibrated probability that each item is among a user's next k choices.

        Arguments as for ``predict``. Calibrated on held-out interactions; float64 (n,), 0 for
        unknown items and items of the history. It does not say whether a choice would be liked.

        Raises:
            UsageError: The model has no calibrated scorer of interest, or k < 1.
        """
        user, item = paired(users, items)
        people, rows = self._people_and_rows(histories, user)
        return self.choice_coded(people.histories, rows, self.item_ids.encode(item), k)

    def follows(self, test: Ratings) -> bool:
        """Return whether a time offset applies: no rating precedes the newest training rating."""
        newest = self.provenance.newest
        if newest is None or test.times is None or not len(test):
            return False
        return bool(test.times.min() >= newest)

    def _people(self, histories: HistoriesLike | None, unknown: Unknown) -> People:
        self._require_fitted()
        histories = as_histories(histories)
        if isinstance(histories, Ratings) and histories.times is not None:
            histories = weighted_by_age(histories, self.half_life, self.provenance.newest)
        if histories is not None:
            return code_people(histories, self.item_ids, self.scale_of_histories, unknown)
        if self.histories is None:
            raise UsageError(
                "this model was saved without its users' histories; pass histories=..."
            )
        return People(self.histories, self.user_ids.ids)

    def _people_and_rows(
        self, histories: HistoriesLike | None, users: Array
    ) -> tuple[People, Int64]:
        """Return the users with histories, and the row of each id, int64 (n,); -1 if unknown."""
        people = self._people(histories, "skip")
        if histories is None:  # all users of training, in the order of their codes
            return people, self.user_ids.encode(users).astype(np.int64)
        return people, people.rows(users)

    def _timed_people(self, people: People) -> TimedPeople | None:
        """Return the time offset with the users' last rating times; None without an offset."""
        if self.time_offset is None:
            return None
        last, source = self.last_rated, people.source
        if source is not None:
            last = None
            if isinstance(source, Ratings) and source.times is not None:
                last = last_times(source)
        if last is None:
            last = np.full(len(people), NOW)
        last = np.where(people.histories.counts > 0, last, NEVER)
        return TimedPeople(self.time_offset, last)

    def _offsets(self, people: People, rows: Int64, times: Times) -> Float64 | None:
        """Return the time offset of each prediction."""
        seconds = np.asarray(times)
        if seconds.dtype.kind == "M":
            seconds = seconds.astype("datetime64[s]").astype(np.int64)
        if seconds.dtype.kind not in "iu" or seconds.shape not in ((), rows.shape):
            raise UsageError(
                "times must be whole seconds since 1970 or datetime64, one or as many as the "
                f"predictions, {len(rows):,}"
            )
        if seconds.size and seconds.max() >= _MILLISECONDS:
            raise UsageError(
                f"times: {seconds.max()} is no time in seconds since 1970; divide milliseconds by "
                "1,000"
            )
        newest = self.provenance.newest
        if newest is not None and seconds.size and seconds.min() < newest:
            raise UsageError(
                f"times: {np.datetime64(int(seconds.min()), 's')} is before the newest rating of "
                f"training, {np.datetime64(newest, 's')}; leave times out"
            )
        timed = self._timed_people(people)
        if timed is None:
            return None
        return timed.at(rows, np.broadcast_to(seconds.astype(np.int64), rows.shape))


def _finite(scores: Float32) -> Float32:
    if not np.isfinite(scores).all():
        raise TrainingError("the model gives scores that are not numbers; train it again")
    return scores
