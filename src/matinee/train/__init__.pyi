from ._blend import Blend as Blend
from ._blend import fit_blend as fit_blend
from ._center import center_columns as center_columns
from ._holdout import (
    Holdout as Holdout,
)
from ._holdout import (
    carve as carve,
)
from ._holdout import (
    carve_ratings as carve_ratings,
)
from ._holdout import (
    carve_rows as carve_rows,
)
from ._holdout import (
    part as part,
)
from ._lessons import Lessons as Lessons
from ._lessons import Teacher as Teacher
from ._loop import train as train
from ._shrink import fit_shrinkage as fit_shrinkage
from ._shrink import shrink_to_bias as shrink_to_bias
from .checkpoint import RunFolder as RunFolder
from .checkpoint import drop_checkpoints as drop_checkpoints
from .checkpoint import share as share
from .config import (
    TrainConfig as TrainConfig,
)
from .config import (
    validation_share as validation_share,
)
from .context import RunContext as RunContext
from .context import choose_device as choose_device
from .distributed import Group as Group
from .epoch import Epoch as Epoch
from .lists.config import ListsConfig as ListsConfig
from .run import MEASURES as MEASURES
from .run import Run as Run
