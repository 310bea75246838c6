from .config import LinearConfig as LinearConfig
from .gram import Interactions as Interactions, interactions as interactions
from .near import NearWeights as NearWeights, fit_near as fit_near
from .solve import (
    ItemWeights as ItemWeights,
    LinearWeights as LinearWeights,
    Solved as Solved,
    UserWeights as UserWeights,
    fit_linear as fit_linear,
    solve as solve,
    solve_mib as solve_mib,
)
