from .config import LinearConfig as LinearConfig
from .gram import Interactions as Interactions, interactions as interactions
from .near import NearWeights as NearWeights, fit_near as fit_near
from .solve import (
    ItemWeights as ItemWeights,
    LinearWeights as LinearWeights,
    Solved as Solved,
    UserWeights as UserWeights,
    allowed_gib as allowed_gib,
    fit_linear as fit_linear,
    half_of_memory as half_of_memory,
    solve as solve,
    solve_mib as solve_mib,
)
