"""Matinee: a deep-autoencoder recommender.

    ratings = matinee.load("ml-1m")
    train, test = matinee.split(ratings, holdout=0.2, seed=0)
    model = matinee.Autoencoder(preset="default").fit(train)
    print(model.evaluate(test))
    model.recommend([{"1": 5, "2": 3}], k=10)

Nothing heavy is imported before it is used, so that a command which only reads data does not wait
for the network's libraries.
"""

import lazy_loader

from .base.threads import use_short_waits

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# OpenMP and OpenBLAS read this when they are loaded, with torch and NumPy.
use_short_waits()
