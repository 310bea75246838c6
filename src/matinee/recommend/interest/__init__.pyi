from .base import INTERESTS as INTERESTS, Interest as Interest, restore_interest as restore_interest
from .blend import Blend as Blend
from .bspm import Bspm as Bspm
from .calibrate import Calibration as Calibration, ChoiceRate as ChoiceRate
from .factors import Factors as Factors
from .fit import FittedInterest as FittedInterest, fit_interest as fit_interest
from .held_out import HeldOut as HeldOut
from .linear import Linear as Linear
from .neighbours import Neighbours as Neighbours
from .network import Network as Network
from .popularity import Popularity as Popularity
