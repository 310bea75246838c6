from .result import Sweep as Sweep, Trial as Trial
from .run import sweep as sweep
from .space import (
    Dimension as Dimension,
    SearchSpace as SearchSpace,
    default_space as default_space,
)
