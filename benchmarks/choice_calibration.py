"""Predicted and observed probabilities that an item is among the next ten choices.

    python benchmarks/choice_calibration.py [--data ml-100k] [--presets lists,ials]

Ratings of 4 and more are interactions. Of each person with at least forty, ten at random are held
out, and the others are trained on. Prints, for items not trained on by rank of the predicted
probability among all people's, the mean probability and the share that was held out; and the sum of
each over a person's items.
"""

from __future__ import annotations

import argparse

import numpy as np

import matinee

K, LEAST = 10, 40
SHARES = (0.0, 0.5, 0.9, 0.97, 0.99, 0.997)


def main() -> None:
    """Parse arguments, train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--presets", default="lists,ials")
    asked = parser.parse_args()
    liked = matinee.load(asked.data, relevant=4)
    liked = liked.take(np.bincount(liked.users)[liked.users] >= LEAST)
    train, test = matinee.split(liked, holdout=K, by="user", seed=0)
    for preset in asked.presets.split(","):
        model = matinee.model(preset).fit(train, seed=0)
        held = np.zeros((model.n_users, model.n_items), dtype=bool)
        users = model.user_ids.encode(test.user_ids.ids)[test.users]
        items = model.item_ids.encode(test.item_ids.ids)[test.items]
        held[users[items >= 0], items[items >= 0]] = True
        ids = np.repeat(model.user_ids.ids, model.n_items)
        every = np.tile(model.item_ids.ids, model.n_users)
        chance = model.choice_probability(ids, every, k=K).reshape(held.shape)
        print(f"{preset}  a person  {chance.sum(1).mean():.2f}  {held.sum(1).mean():.2f}")
        chance, held = chance[chance > 0], held[chance > 0]
        rank = np.digitize(chance, np.quantile(chance, SHARES[1:]))
        for at, share in enumerate(SHARES):
            part = rank == at
            print(f"{preset}  from {share:.1%}  {chance[part].mean():.4f}  {held[part].mean():.4f}")


if __name__ == "__main__":
    main()
