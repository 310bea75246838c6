"""``ListsConfig``: how lists are ordered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ...config import Config, OneOf
from ..implicit import BspmConfig, IalsConfig, ItemKnnConfig
from ..linear import LinearConfig
from .network_config import ListNetworkConfig
from .recvae_config import RecVaeConfig
from .scorers import CHOICES


class ListsConfig(Config):
    """How lists are ordered: by interest in an item times the probability that it is liked.

    Which items people choose and how high they rate them are separate questions. Interest answers
    the first from the items of a history alone; the predicted rating answers the second.
    """

    interest: Annotated[str, OneOf(CHOICES)] = "auto"
    """Scorer of interest. "auto" is the linear autoencoder with tuned settings; above 6,000 users
    and items, where that would cost too much, iALS, item-kNN or their blend and, on sparse data, a
    linear autoencoder with weights of each item's 100 nearest items only. "best" is the best of the
    linear autoencoder, the network and their blend, and adds iALS; above 6,000 users and items it
    is iALS, item-kNN and one linear autoencoder, and above 10,000 the linear autoencoder, iALS and
    the low-pass filter of BSPM. There, if data are sparse or memory is short, the linear
    autoencoder is that of the nearest items. Everything else, blending weights included, is chosen
    on interactions held out of training: on large data with times, the latest ones. "auto" and
    "best" add popularity if that is better, and are popularity if nothing is better than that."""
    love: Annotated[float, Field(ge=0.0, allow_inf_nan=True)] | Literal["auto"] = "auto"
    """Exponent of the probability that an item is liked: 0 orders by interest alone; the larger,
    the more the predicted rating counts. "auto" depends on how well the scores of interest predict
    choices held out of training."""
    like: float | Literal["auto"] = "auto"
    """Lowest rating that counts as liked; "auto" is three quarters up the scale: 4 on 1 to 5."""
    linear: LinearConfig = LinearConfig()
    """The linear autoencoder, for interest = "linear"."""
    net: ListNetworkConfig = ListNetworkConfig()
    """The network, for interest = "network", "blend" or "best"."""
    recvae: RecVaeConfig = RecVaeConfig()
    """RecVAE, for interest = "recvae"."""
    ials: IalsConfig = IalsConfig()
    """The matrix factorisation, for interest = "ials"."""
    knn: ItemKnnConfig = ItemKnnConfig()
    """The item neighbours, for interest = "item-knn"."""
    bspm: BspmConfig = BspmConfig()
    """Blurring and sharpening, for interest = "bspm"."""

    @property
    def network_epochs(self) -> int:
        """Return the epochs (or rounds) of the network trained for the lists."""
        return self.recvae.rounds if self.interest == "recvae" else self.net.epochs
