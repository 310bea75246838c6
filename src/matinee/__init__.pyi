from . import base as base
from . import baseline as baseline
from . import charts as charts
from . import cli as cli
from . import config as config
from . import data as data
from . import errors as errors
from . import evaluate as evaluate
from . import lab as lab
from . import models as models
from . import nn as nn
from . import recommend as recommend
from . import serve as serve
from . import synth as synth
from . import train as train
from ._version import __version__ as __version__
from .data import (
    Histories as Histories,
)
from .data import (
    ItemTable as ItemTable,
)
from .data import (
    Ratings as Ratings,
)
from .data import (
    Scale as Scale,
)
from .data import (
    Table as Table,
)
from .data import (
    load as load,
)
from .data import (
    split as split,
)
from .errors import (
    DataError as DataError,
)
from .errors import (
    LeakError as LeakError,
)
from .errors import (
    MatineeError as MatineeError,
)
from .errors import (
    ModelFileError as ModelFileError,
)
from .errors import (
    ProcessError as ProcessError,
)
from .errors import (
    TrainingError as TrainingError,
)
from .errors import (
    UnknownIdError as UnknownIdError,
)
from .errors import (
    UsageError as UsageError,
)
from .evaluate import Evaluation as Evaluation
from .evaluate import ListEvaluation as ListEvaluation
from .lab.rivals import SparseFC as SparseFC
from .models import (
    Autoencoder as Autoencoder,
)
from .models import (
    Bias as Bias,
)
from .models import (
    BiasedMF as BiasedMF,
)
from .models import (
    Ensemble as Ensemble,
)
from .models import (
    GlobalMean as GlobalMean,
)
from .models import (
    ItemMean as ItemMean,
)
from .models import (
    Recommender as Recommender,
)
from .models import (
    UserMean as UserMean,
)
from .models import (
    load_model as load_model,
)
from .models import (
    model as model,
)
from .train import Group as Group
