"""How often an interval that is looked at 60 times is wrong at some look, for two equal models.

    python benchmarks/peeking.py

Two groups of 3,000 people with the same share of accepted lists, looked at after every 50 people of
each: ``difference_interval``, and the interval that is valid at one look only.
"""

from __future__ import annotations

import numpy as np

from matinee.evaluate.statistics.sequence import difference_interval


def main() -> None:
    """Print a table."""
    rng = np.random.default_rng(0)
    people, pairs = 3000, 400
    print("accepted  anytime-valid  for one look")
    for share in (0.2, 0.05, 0.02):
        wrong = np.zeros(2)
        for _ in range(pairs):
            one, two = (rng.random((2, people)) < share).astype(np.float64)
            missed = np.zeros(2, dtype=bool)
            for n in range(50, people, 50):
                a, b = one[:n], two[:n]
                found = difference_interval(a, b)
                assert found is not None
                spread = 1.96 * np.sqrt((a.var() + b.var()) / n)
                missed |= found.low > 0 or found.high < 0, abs(a.mean() - b.mean()) > spread
            wrong += missed
        print(f"{share:8.0%}  {wrong[0] / pairs:13.1%}  {wrong[1] / pairs:12.1%}")


if __name__ == "__main__":
    main()
