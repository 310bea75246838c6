"""Selections of histories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matinee.data import Histories


def test_a_row_of_minus_one_is_a_new_user_between_the_others() -> None:
    built = Histories.build([([3, 5], [1.0, 2.0]), ([], []), ([4], [5.0])])
    histories = replace(built, weights=np.array([0.5, 1.0, 2.0], dtype=np.float32))
    taken = histories.take_or_empty(np.array([-1, 2, -1, 0, 1, -1]))
    assert taken.indptr.tolist() == [0, 0, 1, 1, 3, 3, 3]
    assert taken.items.tolist() == [4, 3, 5]
    assert taken.values.tolist() == [5.0, 1.0, 2.0]
    assert taken.weights is not None
    assert taken.weights.tolist() == [2.0, 0.5, 1.0]
    assert taken.users.tolist() == [-1, *histories.users[[2]], -1, *histories.users[[0, 1]], -1]
    assert len(histories.take_or_empty(np.array([-1, -1])).items) == 0
