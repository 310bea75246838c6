"""Lists as TREC run and qrels files, which trec_eval and ir-measures read."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TextIO

import numpy.typing as npt

from ...base.arrays import Int32
from ...base.atomic import atomic_path
from ...data import Ratings, Vocabulary
from ...errors import DataError
from .relevant import Relevant
from .tally import OnLists

RUN, QRELS = "run.txt", "qrels.txt"


class TrecFiles:
    """Writes ``run.txt`` (user Q0 item rank score tag) and ``qrels.txt`` (user 0 item relevance).

    The score is the number of places left, not the model's: tools sort by it, and order ties in
    their own ways. All test items of a user are judged, with 1 if relevant and 0 otherwise. Neither
    file appears before both are complete.
    """

    def __init__(self, folder: Path, tag: str) -> None:
        self._folder, self._tag = folder, tag
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._run = self._open(RUN)
        self._qrels = self._open(QRELS)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def _open(self, name: str) -> TextIO:
        path = self._stack.enter_context(atomic_path(self._folder / name))
        return self._stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))

    def judge(self, test: Ratings, relevant: Relevant) -> None:
        """Write the judgements.

        Raises:
            DataError: An id contains white space, which the format does not allow.
        """
        users = _words(test.user_ids.ids, "user")
        items = _words(test.item_ids.ids, "item")
        csr = test.by_user
        for user in relevant.users:
            part = slice(csr.indptr[user], csr.indptr[user + 1])
            grades = (csr.values[part] >= relevant.from_rating).astype(int)
            for item, grade in zip(csr.indices[part], grades, strict=True):
                self._qrels.write(f"{users[user]} 0 {items[item]} {grade}\n")

    def rank(self, test: Ratings, relevant: Relevant, item_ids: Vocabulary) -> OnLists:
        """Return a callback for ``tally`` that writes the lists of the first model.

        Raises:
            DataError: As for ``judge``.
        """
        users = _words(test.user_ids.ids, "user")
        items = _words(item_ids.ids, "item")

        def write(model: int, start: int, best: Int32) -> None:
            if model:
                return
            depth = best.shape[1]
            for row, codes in enumerate(best, start=start):
                user = users[relevant.users[row]]
                for rank, item in enumerate(codes[codes >= 0], start=1):
                    left = depth + 1 - rank
                    self._run.write(f"{user} Q0 {items[item]} {rank} {left} {self._tag}\n")

        return write


def _words(ids: npt.NDArray[Any], column: str) -> list[str]:
    words = [str(each) for each in ids.tolist()]
    for each in words:
        if len(each.split()) != 1 or each != each.strip():
            raise DataError(
                f"TREC files separate by white space, and the {column} id {each!r} has it"
            )
    return words
