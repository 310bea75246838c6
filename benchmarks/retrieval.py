"""Lists for a million people from 100,000 items: an index of the item vectors against all scores.

    python benchmarks/retrieval.py [--people 1000000] [--items 100000] [--breadths 256,1024]

An autoencoder of 128 units is trained for two epochs on synthetic ratings, 20 a person.
`examples/retrieve_usearch.py` then builds usearch's HNSW graph of the items and, for each breadth
of the search, measures its recall of the exact lists of 2,000 people, which `recommend` makes from
the scores of all items. With the first breadth it also lists ten items for every person. Needs
`pip install 'matinee[scale]'`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from matinee.models import Autoencoder, export_items
from matinee.synth import synthesize

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "retrieve_usearch.py"


def main() -> None:
    """Train, and run the example for each breadth."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--breadths", default="256,1024")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/model", f"{folder}/items.parquet"]
        count = 20 * options.people
        ratings = synthesize(options.people, options.items, count, seed=1, taste=1.5).ratings
        settings = {"hidden": (128,), "center": "bias", "epochs": 2, "batch_size": 512}
        model = Autoencoder("base", **settings).fit(ratings, seed=0)
        model.save(paths[0])
        export_items(model, Path(paths[1]))
        del ratings, model
        out = ["--out", f"{folder}/lists.parquet"]
        for breadth in options.breadths.split(","):
            print(f"breadth {breadth}, load {os.getloadavg()[0]:.1f}", flush=True)
            arguments = ["--breadth", breadth, "--sample", "2000", *out]
            subprocess.run([sys.executable, str(EXAMPLE), *paths, *arguments], check=True)
            out = []


if __name__ == "__main__":
    main()
