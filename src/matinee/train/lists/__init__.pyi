from .config import ListsConfig as ListsConfig
from .network_config import ListNetworkConfig as ListNetworkConfig
from .recvae import fit_recvae as fit_recvae
from .recvae_config import RecVaeConfig as RecVaeConfig
from .recvae_weights import RecVaeWeights as RecVaeWeights
from .run import ListEpoch as ListEpoch, ListRun as ListRun
from .scorers import CHOICES as CHOICES, SCORERS as SCORERS
from .training import fit_list_network as fit_list_network
from .weights import ListNetworkWeights as ListNetworkWeights
