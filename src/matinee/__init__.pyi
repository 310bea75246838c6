from . import (
    base as base,
    baseline as baseline,
    charts as charts,
    cli as cli,
    config as config,
    data as data,
    errors as errors,
    evaluate as evaluate,
    lab as lab,
    models as models,
    nn as nn,
    recommend as recommend,
    serve as serve,
    synth as synth,
    testing as testing,
    train as train,
)
from ._version import __version__ as __version__
from .data import (
    Histories as Histories,
    ItemTable as ItemTable,
    Ratings as Ratings,
    Scale as Scale,
    Table as Table,
    load as load,
    split as split,
)
from .errors import (
    DataError as DataError,
    LeakError as LeakError,
    MatineeError as MatineeError,
    ModelFileError as ModelFileError,
    ProcessError as ProcessError,
    TrainingError as TrainingError,
    UnknownIdError as UnknownIdError,
    UsageError as UsageError,
)
from .evaluate import Evaluation as Evaluation, ListEvaluation as ListEvaluation
from .lab.rivals import SparseFC as SparseFC
from .models import (
    Autoencoder as Autoencoder,
    BayesianFM as BayesianFM,
    Bias as Bias,
    BiasedMF as BiasedMF,
    Ensemble as Ensemble,
    GlobalMean as GlobalMean,
    ItemMean as ItemMean,
    Recommender as Recommender,
    UserMean as UserMean,
    evaluate_lists as evaluate_lists,
    load_model as load_model,
    model as model,
)
from .train import ProcessGroup as ProcessGroup, load_shard as load_shard
