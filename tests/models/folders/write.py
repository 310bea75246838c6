"""Write the folders of a version: run it with that version installed, in tests/models of its tree.

    python write.py FOLDER

The folders are committed as they were written, and never again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from battery import sample

import matinee
from matinee.train import preset  # where 0.1.0 had it

HISTORIES = {"ann": {"item-01": 5.0, "item-07": 0.5, "item-20": 4.0}}
USERS = [100, 104, 130, 159, 999]
ITEMS = ["item-00", "item-05", "item-17", "item-39", "never"]

small = preset("tuned").replace({"hidden": [8, 6, 8], "epochs": 6, "batch_size": 16})
models = {
    "autoencoder": matinee.Autoencoder(settings=small),
    "item_mean": matinee.ItemMean(),
    "biased-mf": matinee.BiasedMF(factors=3, sweeps=5),
}
out = Path(sys.argv[1])
answers = {}
for name, model in models.items():
    model.fit(sample(), seed=3).save(out / name, extra={"split": {"holdout": 0.2}})
    predictions, std = model.predict(USERS, ITEMS, with_std=True)
    known, new = model.recommend(users=[100, 104], k=5), model.recommend(HISTORIES, k=5)
    answers[name] = {
        "kind": model.kind,
        "predictions": predictions.tolist(),
        "std": std.tolist(),
        "known": [known["item_id"].tolist(), known["score"].tolist()],
        "new": [new["item_id"].tolist(), new["score"].tolist()],
    }
content = {"users": USERS, "items": ITEMS, "new": HISTORIES, "models": answers}
(out / "answers.json").write_text(json.dumps(content, indent=1) + "\n")
