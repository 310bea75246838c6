"""The learning rate of an update, chosen on an earlier tenth than those it is reported on.

    python benchmarks/update_rate.py [SOURCE] [--preset default]

Trained on the first 60% by time, updated twice (with 60 to 65% and 65 to 70%), each rate scored on
70 to 80%; the last two tenths are not looked at.
"""

from __future__ import annotations

import argparse

import matinee
from _by_time import ByTime
from matinee.models.networks import _start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", default="ml-1m")
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    part = ByTime(options.source).part
    model = matinee.model(options.preset).fit(part(0.0, 0.6), progress=False)
    test = part(0.7, 0.8)
    print("rate   RMSE    RMSE, growing", flush=True)
    for rate in (0.03, 0.1, 0.25, 0.5, 1.0):
        _start.SHARE_OF_RATE = rate
        updated = matinee.model(options.preset)
        updated.__dict__ = dict(model.__dict__)
        for start, stop in ((0.6, 0.65), (0.65, 0.7)):
            updated.update(part(start, stop), progress=False)
        growing = updated.evaluate(test, update=True)
        print(f"{rate:<6} {updated.evaluate(test).rmse:.4f}  {growing.rmse:.4f}", flush=True)
    stale = model.evaluate(test, histories=part(0.0, 0.7)).rmse
    print(f"stale  {stale:.4f}", flush=True)
    anew = matinee.model(options.preset).fit(part(0.0, 0.7), progress=False)
    print(f"anew   {anew.evaluate(test).rmse:.4f}  {anew.evaluate(test, update=True).rmse:.4f}")


if __name__ == "__main__":
    main()
