from ._blend import Blend as Blend, fit_blend as fit_blend
from ._center import center_columns as center_columns
from ._distillation import Distillation as Distillation, Teacher as Teacher
from ._holdout import (
    Holdout as Holdout,
    fit_shrinkage as fit_shrinkage,
    hold_out_ratings as hold_out_ratings,
    hold_out_rows as hold_out_rows,
    part as part,
    shrink_to_bias as shrink_to_bias,
)
from ._loop import train as train
from ._shrink import shrinkage_coefficient as shrinkage_coefficient
from .checkpoint import (
    RunFolder as RunFolder,
    drop_checkpoints as drop_checkpoints,
    record as record,
    share as share,
)
from .config import (
    TrainConfig as TrainConfig,
    validation_share as validation_share,
)
from .context import RunContext as RunContext, choose_device as choose_device, seed_of as seed_of
from .distributed import ProcessGroup as ProcessGroup
from .epoch import Epoch as Epoch
from .lists.config import ListsConfig as ListsConfig
from .run import MEASURES as MEASURES, Run as Run
from .shards.choice import choose_blocks as choose_blocks
from .shards.ratings import ShardedRatings as ShardedRatings
from .shards.reading import load_shard as load_shard
from .shards.shard import WHOLE as WHOLE, Shard as Shard
from .shards.tables import whole_arrays as whole_arrays
