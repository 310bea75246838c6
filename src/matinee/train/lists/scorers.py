"""The registry of scorers of interest."""

from __future__ import annotations

SCORERS = {
    "linear": "a linear autoencoder in closed form",
    "network": "a deep autoencoder with a loss over all items",
    "recvae": "RecVAE",
    "ials": "matrix factorisation of interactions (iALS)",
    "item-knn": "the nearest neighbours of items",
    "bspm": "interactions blurred and sharpened (BSPM)",
    "popularity": "the number of users of each item",
}
"""What each scorer is, by name. ``recommend/interest/scorers`` has a module for each."""
CHOICES = {
    "auto": "what takes little time for the size of the data",
    "best": "the best of several scorers and their blends, which may take hours",
    "blend": "the linear autoencoder and the network",
    **SCORERS,
    "none": "the predicted rating alone",
}
"""Values of the option ``lists.interest``."""
