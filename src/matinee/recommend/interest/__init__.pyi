from .base import (
    Interest as Interest,
    interest_state as interest_state,
    mean_one as mean_one,
    restore_interest as restore_interest,
    users_of_items as users_of_items,
)
from .blend import Blend as Blend
from .calibrate import (
    GREATEST_LOVE as GREATEST_LOVE,
    Calibration as Calibration,
    ChoiceRate as ChoiceRate,
)
from .fit import (
    NOTED as NOTED,
    FittedInterest as FittedInterest,
    fit_interest as fit_interest,
    refitted as refitted,
)
from .held_out import HeldOut as HeldOut
from .scorers.bspm import Bspm as Bspm
from .scorers.ials import Factors as Factors
from .scorers.item_knn import Neighbours as Neighbours
from .scorers.linear import Linear as Linear
from .scorers.network import Network as Network
from .scorers.popularity import Popularity as Popularity
