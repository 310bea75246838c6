from .result import Sweep as Sweep
from .result import Trial as Trial
from .run import sweep as sweep
from .space import (
    Dimension as Dimension,
)
from .space import (
    SearchSpace as SearchSpace,
)
from .space import (
    default_space as default_space,
)
