from ._find import find_study as find_study, study_names as study_names
from ._tables import (
    claims_markdown as claims_markdown,
    claims_table as claims_table,
    compare as compare,
    summary_markdown as summary_markdown,
    summary_table as summary_table,
)
from .archive import read_archive as read_archive, write_archive as write_archive
from .arms import ResolvedArm as ResolvedArm, resolve_arms as resolve_arms
from .claims.judge import judge as judge
from .claims.judgement import Comparison as Comparison, Judgement as Judgement, Verdict as Verdict
from .plan import Plan as Plan, Spec as Spec, plan_study as plan_study
from .results import EpochRecord as EpochRecord, Results as Results, RunRecord as RunRecord
from .runs.scheduler import Outcome as Outcome, run_study as run_study
from .runs.store import RunStore as RunStore, load_results as load_results
from .study import (
    Arm as Arm,
    ArmGroup as ArmGroup,
    Check as Check,
    Claim as Claim,
    Data as Data,
    Literature as Literature,
    Published as Published,
    Quick as Quick,
    Study as Study,
)
from .summary import (
    ArmSummary as ArmSummary,
    Curve as Curve,
    Summary as Summary,
    summarise as summarise,
)
