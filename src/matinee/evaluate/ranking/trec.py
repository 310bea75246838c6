"""Lists as TREC run and qrels files, which trec_eval and ir-measures read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy.typing as npt

from ...base.arrays import Int32
from ...base.atomic import atomic_path
from ...data import Ratings, Vocabulary
from ...errors import DataError
from .relevant import Relevant
from .tally import OnLists


@contextmanager
def trec_files(
    folder: Path, tag: str, test: Ratings, relevant: Relevant, item_ids: Vocabulary
) -> Iterator[OnLists]:
    """Write ``run.txt`` (user Q0 item rank score tag) and ``qrels.txt`` (user 0 item relevance).

    The score is the number of places left, not the model's: tools sort by it, and order ties in
    their own ways. All test items of a user are judged, with 1 if relevant and 0 otherwise. Neither
    file appears before both are complete.

    Yields:
        A callback for ``tally`` that writes the lists of the first model.

    Raises:
        DataError: An id contains white space, which the format does not allow.
    """
    users, judged = _words(test.user_ids.ids, "user"), _words(test.item_ids.ids, "item")
    items, csr = _words(item_ids.ids, "item"), test.by_user
    with _written(folder / "run.txt") as run, _written(folder / "qrels.txt") as qrels:

        def write(model: int, start: int, best: Int32) -> None:
            if model:
                return
            depth = best.shape[1]
            for row, codes in enumerate(best, start=start):
                user = users[relevant.users[row]]
                for rank, item in enumerate(codes[codes >= 0], start=1):
                    left = depth + 1 - rank
                    run.write(f"{user} Q0 {items[item]} {rank} {left} {tag}\n")

        for user in relevant.users:
            part = slice(csr.indptr[user], csr.indptr[user + 1])
            grades = (csr.values[part] >= relevant.from_rating).astype(int)
            for item, grade in zip(csr.indices[part], grades, strict=True):
                qrels.write(f"{users[user]} 0 {judged[item]} {grade}\n")
        yield write


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        yield file


def _words(ids: npt.NDArray[Any], column: str) -> list[str]:
    words = [str(each) for each in ids.tolist()]
    for each in words:
        if len(each.split()) != 1 or each != each.strip():
            raise DataError(
                f"TREC files separate by white space, and the {column} id {each!r} has it"
            )
    return words
