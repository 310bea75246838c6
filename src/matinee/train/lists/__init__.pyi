from .config import ListsConfig as ListsConfig
from .network_config import ListNetworkConfig as ListNetworkConfig
from .run import ListEpoch as ListEpoch, ListNetworkRun as ListNetworkRun
from .training import fit_list_network as fit_list_network
from .weights import ListNetworkWeights as ListNetworkWeights
