"""Stored codes of the users trained on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import matinee
from matinee.data import Histories
from matinee.errors import ModelFileError
from matinee.models import Autoencoder
from matinee.models.folder._checks import check_arrays
from matinee.models.networks import _fitted, _stored
from matinee.models.networks._stored import OWN, StoredCodes
from matinee.models.networks.trainer import Trainer
from matinee.serve._catalogue import Catalogue
from matinee.serve._rows import Entries
from matinee.testing import all_pairs, histories_by_user, sample
from matinee.train import RunContext

pytestmark = pytest.mark.usefixtures("one_thread", "stored_codes_are_kept")

OPTIONS: dict[str, Any] = {
    "hidden": [6],
    "batch_size": 16,
    "epochs": 8,
    "validation": 0.2,
    "interest": "popularity",
    "device": "cpu",
}


CODES_ARE_BETTER = Trainer._codes_are_better


def model(**options: Any) -> Autoencoder:
    made = matinee.model("default", **{**OPTIONS, **options})
    assert isinstance(made, Autoencoder)
    return made


@cache
def stored() -> Autoencoder:
    return model().fit(sample(), seed=1)


@cache
def encoded() -> Autoencoder:
    """The same without stored codes."""
    return model(known_codes="encoded").fit(sample(), seed=1)


def codes_of(fitted: Autoencoder) -> StoredCodes | None:
    return fitted._trained.stored


def test_the_two_least_squares_solutions() -> None:
    """Against users x items in full, in float64."""
    train = sample()
    trainer = Trainer(train, model().settings, 1, RunContext())
    trainer.train_teachers(2)
    trainer.fit()
    network = trainer.finish()
    teachers = [each.as_teacher(whole=True) for each in trainer._teachers]
    assert len(teachers) == 2
    outputs = network.forward.scores(train.by_user).astype(np.float64)
    answers = [
        each.table @ each.vectors.T + (each.bias + each.offset)[:, None] + each.added
        for each in teachers
    ]
    start = network.forward.bias_out + network.forward.offset
    target = OWN * outputs + (1 - OWN) * np.mean(answers, axis=0) - start
    basis = np.column_stack([network.forward.table_out, np.ones(train.n_items)])
    root = np.sqrt(np.bincount(train.items))[:, None]
    codes = np.linalg.lstsq(root * basis, root * target.T, rcond=None)[0].T
    root = np.sqrt(np.bincount(train.users))[:, None]
    table = np.linalg.lstsq(root * codes[:, :-1], root * (target - codes[:, -1:]), rcond=None)[0].T
    stored = network.stored
    assert stored is not None
    np.testing.assert_allclose(stored.codes @ stored.table.T, codes[:, :-1] @ table.T, atol=2e-3)
    np.testing.assert_allclose(stored.added, codes[:, -1], atol=1e-3)
    scores = network.scores(Histories.of(train.by_user))
    wanted = codes[:, :-1] @ table.T + codes[:, -1:] + start
    np.testing.assert_allclose(scores, wanted, atol=2e-3)
    # Nearer to the mean of all than the network alone, also where an entry weighs as it is rated.
    assert (
        np.square(scores - start - target).mean() < 0.5 * np.square(outputs - start - target).mean()
    )


def test_least_squares_in_blocks_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than one block the sums are those of all rows."""
    monkeypatch.setattr(_stored, "ROWS", 7)
    rng = np.random.default_rng(0)
    basis, counts = rng.normal(size=(50, 4)), rng.integers(0, 9, 50)
    pairs = [(0.7, rng.normal(size=(50, 3)), rng.normal(size=(30, 3)))]
    pairs.append((-0.2, rng.normal(size=(50, 1)), rng.normal(size=(30, 1))))
    columns = _stored._Columns
    factors = [(weight, columns(first), columns(second)) for weight, first, second in pairs]
    found = _stored._fit(columns(basis[:, :1], basis[:, 1:]), counts, factors)
    target = sum(weight * first @ second.T for weight, first, second in pairs)
    root = np.sqrt(counts)[:, None]
    wanted = np.linalg.lstsq(root * basis, root * target, rcond=None)[0].T
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    unused = columns(np.zeros((50, 1)), basis)  # a unit that is 0 for all
    with_it = _stored._fit(unused, counts, factors)
    np.testing.assert_allclose(with_it[:, 1:], wanted, atol=1e-4)
    np.testing.assert_allclose(with_it[:, 0], 0.0, atol=1e-4)


def test_the_hash_of_a_history_stays_the_same() -> None:
    """Codes of saved models are found by it, whatever the order of the ratings."""
    indptr = np.array([0, 2, 2, 4, 5])
    items, values = np.array([3, 70_000, 70_000, 3, 3]), np.array([4.0, 2.5, 2.5, 4.0, 5.0])
    users = np.arange(4, dtype=np.int32)
    hashes = Histories(indptr, items.astype(np.int32), values.astype(np.float32), users).hashes
    assert hashes.tolist() == [11847096799473953706, 0, 11847096799473953706, 3961815114874002448]
    assert hashes[0] == hashes[2] != hashes[3]


def test_for_the_ratings_of_training_alone() -> None:
    """New people, and known ones with other ratings, are folded in as without stored codes."""
    users, items = all_pairs(sample())
    known, plain = stored(), encoded()
    assert codes_of(plain) is None
    assert np.abs(known.predict(users, items) - plain.predict(users, items)).max() > 0.01
    history = histories_by_user(sample())[104]
    some = sample().item_ids.ids
    for person in ("new", 104):
        answers = [
            each.predict(person, some, histories={person: history}) for each in (known, plain)
        ]
        np.testing.assert_array_equal(*answers)


def with_ratings(
    histories: Histories, row: int, changes: dict[int, float], without: tuple[int, ...] = ()
) -> Histories:
    """Histories in which one person has further or other ratings, or fewer."""
    people = []
    for at in range(len(histories)):
        part = slice(histories.indptr[at], histories.indptr[at + 1])
        rated = dict(zip(histories.items[part].tolist(), histories.values[part], strict=True))
        if at == row:
            rated = {k: v for k, v in {**rated, **changes}.items() if k not in without}
        people.append((list(rated), list(rated.values())))
    return Histories.build(people, histories.users)


def test_known_people_who_rate_further_items_keep_the_gain_of_their_codes() -> None:
    """As by feedback, and in prequential evaluation: they keep their user codes."""
    known, plain = stored(), encoded()
    histories = known.histories
    assert histories is not None
    before, folded = known.scores_coded(histories), plain.scores_coded(histories)
    rated = histories.items[histories.indptr[3] : histories.indptr[4]]
    new = int(np.setdiff1d(np.arange(40), rated)[0])
    grown = with_ratings(histories, 3, {new: 1.0})
    share = len(rated) / (len(rated) + 1)
    wanted = plain.scores_coded(grown)[3] + share * (before[3] - folded[3])
    scores = known.scores_coded(grown)
    np.testing.assert_allclose(scores[3], wanted, atol=1e-4)
    assert np.abs(scores[3] - plain.scores_coded(grown)[3]).max() > 0.001
    alone = known.scores_coded(grown.take([3]))
    np.testing.assert_allclose(alone[0], scores[3], atol=1e-5)
    assert np.array_equal(known.scores_coded(grown.take([3])), alone)
    others = np.arange(60) != 3
    np.testing.assert_allclose(scores[others], before[others], atol=1e-5)
    rows, items = np.full(40, 3), np.arange(40, dtype=np.int32)
    predicted, std = known.predict_coded_std(grown, rows, items)
    np.testing.assert_allclose(predicted, known._clipped(scores[3].astype(np.float64)), atol=1e-5)
    unknown = replace(grown, users=np.full(60, -1, dtype=np.int32))
    np.testing.assert_allclose(std, known.predict_coded_std(unknown, rows, items)[1], rtol=2e-3)


def test_the_gains_of_those_who_ask_again_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for more, the gain that was kept first makes place."""
    known = stored()
    histories, kept = known.histories, known._trained._kept_gains
    assert histories is not None
    monkeypatch.setattr(_fitted, "_KEPT", 3 * known.n_items)
    kept.clear()
    for row in (3, 4, 5, 3, 6):
        rated = histories.items[histories.indptr[row] : histories.indptr[row + 1]]
        new = int(np.setdiff1d(np.arange(40), rated)[0])
        known.scores_coded(with_ratings(histories, row, {new: 1.0}).take([row]))
    assert list(kept) == [4, 5, 6]


def test_a_rating_that_was_changed_counts_as_new() -> None:
    known, plain = stored(), encoded()
    histories = known.histories
    assert histories is not None
    item = int(histories.items[histories.indptr[3]])
    was = float(histories.values[histories.indptr[3]])
    changed = with_ratings(histories, 3, {item: 1.0 if was > 2 else 5.0})
    count = int(histories.counts[3])
    difference = known.scores_coded(histories)[3] - plain.scores_coded(histories)[3]
    wanted = plain.scores_coded(changed)[3] + (count - 1) / count * difference
    np.testing.assert_allclose(known.scores_coded(changed)[3], wanted, atol=1e-4)


def test_a_rating_that_was_taken_back_is_not_used() -> None:
    known, plain = stored(), encoded()
    histories = known.histories
    assert histories is not None
    rated = histories.items[histories.indptr[3] : histories.indptr[4]].tolist()
    new = int(np.setdiff1d(np.arange(40), rated)[0])
    less = with_ratings(histories, 3, {new: 4.0}, without=(rated[0],))
    np.testing.assert_allclose(
        known.scores_coded(less),
        np.where(
            np.arange(60)[:, None] == 3, plain.scores_coded(less), known.scores_coded(histories)
        ),
        atol=1e-5,
    )


def test_reasons_of_known_people_are_those_of_fold_in() -> None:
    known = stored()
    assert known.histories is not None
    history, items = known.histories.take([3]), np.arange(5, dtype=np.int32)
    usual = known.scores_coded(Histories.build([([], [])]))[0].astype(np.float64)
    catalogue = Catalogue(known)
    one, two = (
        Entries(known, catalogue, usual).described(each, items, 20)
        for each in (history, replace(history, users=np.array([-1], dtype=np.int32)))
    )
    for entry, folded in zip(one, two, strict=True):
        why = entry["why"]
        assert why["reasons"] == folded["why"]["reasons"]
        assert any(abs(reason["contribution"]) > 1e-3 for reason in why["reasons"])
        total = why["baseline"] + why["others"] + why["together"]
        total += sum(reason["contribution"] for reason in why["reasons"])
        assert total == pytest.approx(why["prediction"], abs=1e-4)
        assert entry["predicted"] == pytest.approx(known._clipped(why["prediction"]), abs=1e-4)


def test_saved_without_histories_there_are_none(tmp_path: Path) -> None:
    again = matinee.load_model(stored().save(tmp_path / "model", histories=False))
    assert isinstance(again, Autoencoder)
    codes = codes_of(again)
    assert codes is not None
    assert codes.codes.shape == (0, 6)
    assert not len(codes.added)
    assert not len(codes.hashes)
    history = {"new": histories_by_user(sample())[104]}
    items = sample().item_ids.ids
    for one, two in zip(
        again.predict("new", items, histories=history, with_std=True),
        stored().predict("new", items, histories=history, with_std=True),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def test_known_and_new_people_in_one_batch() -> None:
    histories = Histories.of(sample().by_user)
    mixed = Histories(
        histories.indptr,
        histories.items,
        histories.values,
        np.where(np.arange(60) % 3 == 1, -1, histories.users).astype(np.int32),
    )
    network, plain = stored()._trained, encoded()._trained
    rows, items = np.divmod(np.arange(60 * 40), 40)
    predicted = network.predict(mixed, rows, items.astype(np.int32)).reshape(60, 40)
    new = mixed.users < 0
    wanted = plain.predict(mixed, rows, items.astype(np.int32)).reshape(60, 40)
    np.testing.assert_array_equal(predicted[new], wanted[new])
    known = network.predict(histories, rows, items.astype(np.int32)).reshape(60, 40)
    np.testing.assert_allclose(predicted[~new], known[~new], atol=1e-6)
    np.testing.assert_allclose(network.scores(mixed), predicted, atol=1e-5)


def test_ratings_kept_out_have_no_part_in_the_codes_that_predict_them() -> None:
    trainer = Trainer(sample(), model().settings, 1, RunContext())
    trainer.train_teachers(2)
    trainer.fit()
    network = trainer.finish()
    assert trainer.held is not None
    rows = np.repeat(np.arange(60), sample().by_user.counts)[sample().by_user.aligned(trainer.held)]
    items = sample().by_user.indices[sample().by_user.aligned(trainer.held)]
    with_them = network.predict(Histories.of(sample().by_user), rows, items)
    without = trainer.validation_predictions(stored=True)
    assert without.shape == with_them.shape
    assert np.abs(without - with_them).max() > 0.05
    values = sample().by_user.values[sample().by_user.aligned(trainer.held)]
    assert np.square(with_them - values).mean() < np.square(without - values).mean()


def test_new_people_have_standard_deviations_of_their_own() -> None:
    history = histories_by_user(sample())[104]
    some = sample().item_ids.ids
    _, known = stored().predict(104, some, with_std=True)
    _, new = stored().predict("new", some, histories={"new": history}, with_std=True)
    assert np.abs(known - new).max() > 1e-4


@pytest.mark.parametrize(
    "options", [{"teacher": "none"}, {"rows": "items"}, {"output_activation": "tanh"}], ids=str
)
def test_where_there_are_none(options: dict[str, Any]) -> None:
    assert codes_of(model(**options, epochs=1).fit(sample())) is None


def test_an_updated_network_has_codes_of_all_people() -> None:
    train = sample()
    old = (train.users != 3) & (train.items != 5)
    updated = model(shrink=False).fit(train.take(old), seed=1)
    updated.update(train.take(~old), epochs=1)
    codes = codes_of(updated)
    assert codes is not None
    assert codes.codes.shape == (60, 6)
    assert codes.table.shape == (40, 6)
    histories = updated.histories
    assert histories is not None
    assert codes.match(histories).all()
    network = updated._trained
    scores, folded = network.scores(histories), network.forward.scores(histories.csr(40))
    assert 0.01 < np.abs(scores - folded).mean() < 0.3
    again = codes_of(updated.update(train.take(np.arange(5)), epochs=1))
    assert again is not None


def test_the_codes_that_are_carried_on_do_not_teach_the_network() -> None:
    train = sample()
    old = train.users != 3

    def update(**options: Any) -> tuple[Autoencoder, StoredCodes | None]:
        made = model(shrink=False, **options).fit(train.take(old), seed=1)
        made.update(train.take(~old), seed=2, epochs=2)
        return made, codes_of(made)

    (one, codes), (alone, none) = update(), update(known_codes="encoded")
    assert codes is not None
    assert none is None
    assert len(codes.codes) == one.n_users == 60  # somebody who came with the update has one
    for name, array in one._trained.arrays.items():
        np.testing.assert_array_equal(array, alone._trained.arrays[name])
    again = update()[1]
    assert again is not None
    np.testing.assert_array_equal(codes.codes, again.codes)
    assert one.predictive_variance is not None
    assert one.predictive_variance.source == "validation"


def test_saved_arrays_are_checked(tmp_path: Path) -> None:
    folder = stored().save(tmp_path / "model")
    again = matinee.load_model(folder)
    users, items = all_pairs(sample())
    assert np.array_equal(again.predict(users, items), stored().predict(users, items))
    wrong = {"stored.codes": np.zeros((59, 6), np.float32)}
    with pytest.raises(
        ModelFileError, match=r"stored.codes has shape \(59, 6\), not \(60, width\)"
    ):
        check_arrays(folder, wrong, 60, 40)
    shapes = {"codes": (60, 6), "added": (60,), "table": (40, 5), "hashes": (60,)}
    tensors = {f"stored.{name}": np.zeros(shape) for name, shape in shapes.items()}
    with pytest.raises(ValueError, match="stored codes of the shapes"):
        StoredCodes.restore(tensors, 40, 6)


def trained() -> Trainer:
    trainer = Trainer(sample(), model().settings, 1, RunContext())
    trainer.train_teachers(2)
    trainer.fit()
    return trainer


def test_none_where_the_network_is_shrunk_to_the_bias_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The teachers' means by user would be left in the codes: .0025 of RMSE on sparse ratings."""
    from matinee.models.networks import trainer as module

    def to_zero(network: Any, inputs: Any, *args: Any, **options: Any) -> tuple[float, Any]:
        with torch.no_grad():
            network.table_out.zero_()
            network.bias_out.zero_()
        return 0.0, inputs

    monkeypatch.setattr(module, "shrink_to_bias", to_zero)
    monkeypatch.setattr(Trainer, "_codes_are_better", CODES_ARE_BETTER)
    assert trained().finish().stored is None


def test_none_where_the_validation_part_speaks_against_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Trainer, "_codes_are_better", CODES_ARE_BETTER)
    trainer = trained()
    assert trainer.run.valid is not None
    encoded = trainer.validation_predictions()
    error = trainer.run.valid.values - encoded
    for sign in (1.0, -1.0):
        trainer._by_codes = encoded + sign * 0.1 * error
        assert trainer._codes_are_better(0.5) == (sign > 0)
        assert not trainer._codes_are_better(0.0)
