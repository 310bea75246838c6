from ._audit import Audit as Audit, audit as audit, audit_files as audit_files
from ._group import Csr as Csr, group as group
from ._items import load_items as load_items
from .coerce import RatingsLike as RatingsLike, as_ratings as as_ratings
from .description import (
    Description as Description,
    describe as describe,
    training_mib as training_mib,
)
from .fingerprints import fingerprint as fingerprint
from .histories import Histories as Histories
from .loading import load as load
from .ratings import Ratings as Ratings, Scale as Scale
from .read.options import ReadOptions as ReadOptions, TableOptions as TableOptions
from .side.columns import (
    CodedColumn as CodedColumn,
    Levels as Levels,
    SideColumns as SideColumns,
    coded_columns as coded_columns,
    coded_state as coded_state,
    restored_columns as restored_columns,
    stacked as stacked,
)
from .side.items import ItemTable as ItemTable
from .sources.catalogue import (
    CATALOGUE as CATALOGUE,
    DATASETS as DATASETS,
    Dataset as Dataset,
    NamedSplit as NamedSplit,
)
from .sources.download import get as get
from .sources.home import (
    add as add,
    data_home as data_home,
    forget as forget,
    locate as locate,
    registered as registered,
)
from .splits.files import split_files as split_files, write_split as write_split
from .splits.named import (
    NAMED_SPLITS as NAMED_SPLITS,
    NamedParts as NamedParts,
    named_parts as named_parts,
    named_split as named_split,
)
from .splits.rule import SplitRule as SplitRule
from .splits.rules import RULES as RULES
from .splits.shared import (
    join as join,
    share_vocabularies as share_vocabularies,
    union_table as union_table,
)
from .splits.split import (
    FoldIn as FoldIn,
    SplitParts as SplitParts,
    kfold as kfold,
    split as split,
    split_parts as split_parts,
    split_three as split_three,
    split_users as split_users,
)
from .splits.subtract import subtract as subtract
from .splits.windows import Window as Window, window_split as window_split
from .table import Table as Table, write_tables as write_tables
from .vocabulary import Ids as Ids, Vocabulary as Vocabulary
