from ._find import find_study as find_study
from ._find import study_names as study_names
from ._tables import (
    claims_markdown as claims_markdown,
)
from ._tables import (
    claims_table as claims_table,
)
from ._tables import (
    compare as compare,
)
from ._tables import (
    compare_results as compare_results,
)
from ._tables import (
    summary_markdown as summary_markdown,
)
from ._tables import (
    summary_table as summary_table,
)
from .archive import read_archive as read_archive
from .archive import write_archive as write_archive
from .arms import ResolvedArm as ResolvedArm
from .arms import resolve_arms as resolve_arms
from .claims.judge import judge as judge
from .claims.judgement import Comparison as Comparison
from .claims.judgement import Judgement as Judgement
from .claims.judgement import Verdict as Verdict
from .plan import Plan as Plan
from .plan import Spec as Spec
from .plan import plan_study as plan_study
from .results import EpochRecord as EpochRecord
from .results import Results as Results
from .results import RunRecord as RunRecord
from .runs.engine import Outcome as Outcome
from .runs.engine import run_study as run_study
from .runs.store import Store as Store
from .runs.store import load_results as load_results
from .study import (
    Arm as Arm,
)
from .study import (
    Check as Check,
)
from .study import (
    Claim as Claim,
)
from .study import (
    Data as Data,
)
from .study import (
    Group as Group,
)
from .study import (
    Literature as Literature,
)
from .study import (
    Published as Published,
)
from .study import (
    Quick as Quick,
)
from .study import (
    Study as Study,
)
from .summary import (
    ArmSummary as ArmSummary,
)
from .summary import (
    Curve as Curve,
)
from .summary import (
    Summary as Summary,
)
from .summary import (
    summarise as summarise,
)
