from ._audit import Audit as Audit
from ._audit import audit as audit
from ._audit import audit_files as audit_files
from ._group import Csr as Csr
from ._group import group as group
from .coerce import RatingsLike as RatingsLike
from .coerce import as_ratings as as_ratings
from .description import (
    Description as Description,
)
from .description import (
    describe as describe,
)
from .description import (
    training_mib as training_mib,
)
from .fingerprints import fingerprint as fingerprint
from .histories import Histories as Histories
from .loading import load as load
from .ratings import ItemTable as ItemTable
from .ratings import Ratings as Ratings
from .ratings import Scale as Scale
from .read.options import ReadOptions as ReadOptions
from .sources.catalogue import CATALOGUE as CATALOGUE
from .sources.catalogue import DATASETS as DATASETS
from .sources.catalogue import Dataset as Dataset
from .sources.catalogue import NamedSplit as NamedSplit
from .sources.download import get as get
from .sources.home import (
    add as add,
)
from .sources.home import (
    data_home as data_home,
)
from .sources.home import (
    forget as forget,
)
from .sources.home import (
    locate as locate,
)
from .sources.home import (
    registered as registered,
)
from .splits.files import split_files as split_files
from .splits.files import write_split as write_split
from .splits.named import (
    NAMED_SPLITS as NAMED_SPLITS,
)
from .splits.named import (
    NamedParts as NamedParts,
)
from .splits.named import (
    named_parts as named_parts,
)
from .splits.named import (
    named_split as named_split,
)
from .splits.rule import SplitRule as SplitRule
from .splits.rules import RULES as RULES
from .splits.shared import join as join
from .splits.shared import share_vocabularies as share_vocabularies
from .splits.split import (
    FoldIn as FoldIn,
)
from .splits.split import (
    SplitParts as SplitParts,
)
from .splits.split import (
    kfold as kfold,
)
from .splits.split import (
    split as split,
)
from .splits.split import (
    split_parts as split_parts,
)
from .splits.split import (
    split_three as split_three,
)
from .splits.split import (
    split_users as split_users,
)
from .splits.subtract import subtract as subtract
from .splits.windows import Window as Window
from .splits.windows import window_split as window_split
from .table import Table as Table
from .table import write_tables as write_tables
from .vocabulary import Ids as Ids
from .vocabulary import Vocabulary as Vocabulary
