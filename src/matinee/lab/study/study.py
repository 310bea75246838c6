"""``Study``: a question as a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ...config import Config, OneOf
from ...data import TableOptions
from ...data.splits.rules import RULES
from .figures import Figure


class Data(Config):
    """Ratings to train on and ratings to score."""

    name: str
    """What the study calls it; also its name in a run's key."""
    source: str = ""
    """A split (ml-100k/u1, a folder with train and test parts), or ratings to hold some out of."""
    holdout: float = 0.0
    """Size of the hold-out, as for `--holdout`: a share below 1, or a whole number; 0
    if the source is a split."""
    read: TableOptions = TableOptions()
    """How the source is read, if it is not a split: its columns, delimiter, scale and so on."""
    by: Annotated[str, OneOf(RULES)] = "random"
    """How ratings are held out."""
    given: float = Field(0.8, gt=0.0, lt=1.0)
    """With by = "people", the share of a held-out person's ratings used as history."""
    validation: float = 0.0
    """Size of a validation part, as for holdout, that is left unused: for protocols whose
    validation part precedes the test part."""
    relevant: float | None = None
    """Ratings of at least this value are read as interactions, and the others left out."""
    k_core: int | None = Field(None, ge=1)
    """Users and items with fewer ratings or interactions are left out repeatedly."""
    seen_only: bool = False
    """Whether held-out ratings of users or items without a training rating are dropped (and
    counted), as Kuchaiev & Ginsburg 2017 do; otherwise the bias model predicts them."""
    time_offset: bool = False
    """Whether predictions include the model's time offset, if no held-out rating is earlier than
    those of training. The figures of each epoch exclude it."""
    resplit: bool = False
    """Whether each seed has its own split; otherwise all seeds share the split of seed 0."""
    users: float = Field(1.0, gt=0.0, le=1.0)
    """Share of the users to keep, nested: those kept at 10% are among those kept at 30%."""
    ratings: float = Field(1.0, gt=0.0, le=1.0)
    """Share of the training ratings to keep, nested, without emptying a user."""
    synthetic: dict[str, Any] = Field(default_factory=dict)
    """Options of a synthetic world, instead of a source."""
    seeds: tuple[int, ...] = ()
    """Seeds that run on it: others of an arm's are left out. All by default."""
    choice_read: float | None = Field(None, ge=0.0, le=1.0)
    """Share of the held-out ratings that were trained on when the settings of arms with
    ``selection = "validation"`` were chosen, on other parts of the same data; None if unknown."""
    choice_scored: float | None = Field(None, ge=0.0, le=1.0)
    """Share of the held-out ratings that scored that choice; None if unknown."""


class Published(Config):
    """The published figures of an arm."""

    train: float | None = None
    """The published training figure."""
    test: float | None = None
    """The figure that was published as a test error."""
    epochs: int | None = None
    """Epochs of the published run."""
    reading: str = ""
    """Source of the figure: the text, or a plot."""


Selection = Literal["", "none", "validation", "test"]
"""How the settings and epochs of an arm came about:

- none: nothing was chosen on the study's data, for example a library's defaults.
- validation: chosen by ratings other than the held-out ones, as far as the data's ``choice_read``
  and ``choice_scored`` say.
- test: chosen by the held-out ratings.
- "": not declared.
"""


class Arm(Config):
    """One setting that is compared with others."""

    name: str
    """Name within the group."""
    preset: str = ""
    """Preset to start from, instead of the group's."""
    model: str = ""
    """A model without presets, by its kind ("bias"); or one of another library ("surprise-svd")."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes to the preset (for a model, its options)."""
    published: Published | None = None
    """Published results."""
    selection: Selection = ""
    """How its settings were chosen, if not as the group's."""
    data: tuple[str, ...] = ()
    """Names of the data it runs on; all of the study's by default."""
    seeds: tuple[int, ...] = ()
    """Seeds, if not the study's."""


class ArmGroup(Config):
    """Arms that differ in one thing: a sweep, drawn in one chart."""

    name: str
    """Name of the group; an arm is called GROUP/ARM elsewhere in the file."""
    title: str
    """For the report."""
    text: str = ""
    """The group's question, for the report."""
    preset: str = ""
    """Preset to start from, instead of the study's."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes to the preset that all its arms share."""
    key: str = ""
    """The setting that is varied: with ``values``, one arm for each, named by its value. Besides
    the settings there are ``width`` and ``depth``, which make ``hidden`` of equal layers."""
    values: tuple[Any, ...] = ()
    """Values of ``key``, in the order of the chart's axis."""
    cross: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    """Further settings; every combination is an arm, named VALUE,SETTING=VALUE."""
    published: dict[str, Published] = Field(default_factory=dict)
    """Published results by arm name."""
    arms: tuple[Arm, ...] = ()
    """Arms one by one, instead of key and values or after them."""
    selection: Selection = ""
    """How the settings of its arms were chosen; a leaderboard shows "?" if not declared."""
    data: tuple[str, ...] = ()
    """Names of the data it runs on; all of the study's by default."""


class Check(Config):
    """One comparison of a claim, judged over the seeds."""

    kind: Literal["better", "best", "near", "overfits", "trend", "order"]
    """
    - better: each of ``arms`` has a lower figure than each of ``than``, by ``by`` at least.
    - best: ``arms`` (one) has the lowest figure of the group ``than`` names (or of the arms named).
    - near: the figure of ``arms`` is ``value``, within ``within``.
    - overfits: the held-out figure of ``arms`` at its last epoch is worse than at its best by
      ``by`` at least, while the training figure still falls.
    - trend: the value of the group's ``key`` with the lowest figure grows with the size of the
      data: slope against log10 of the training ratings.
    - order: figures of ``arms`` rise in that order (an entry may name several with "|").
    """
    arms: tuple[str, ...] = ()
    """Arms, as GROUP/ARM. A bare group name means its arms, as does a pattern (depth/*,dropout=0);
    baseline/bias, baseline/user_mean and baseline/global_mean are those simple
    models on the same held-out ratings."""
    than: tuple[str, ...] = ()
    """Arms to compare with; a bare group name means its other arms."""
    by: float = 0.0
    """Smallest difference that counts."""
    value: float | None = None
    """For near."""
    within: float = 0.02
    """For near."""
    figure: Figure | None = None
    """The one figure to judge; by default held_out, and also the training figures."""
    data: str = ""
    """Name of the data; by default the study's first. Of a trend, a pattern (users-*), by default
    all that its arms run on."""
    negate: bool = False
    """Whether the claim is the opposite of the check."""

    @model_validator(mode="after")
    def _complete(self) -> Check:
        if not self.arms:
            raise ValueError("a check names its arms")
        if self.kind in ("better", "best") and not self.than:
            raise ValueError(f"{self.kind}: than which arms or group?")
        if self.kind not in ("better", "best") and self.than:
            raise ValueError(f"{self.kind} compares with no other arms: leave out than")
        if self.kind == "best" and (len(self.arms) > 1 or "/" not in self.arms[0]):
            raise ValueError("best: name one arm, as GROUP/ARM")
        if self.kind == "near" and self.value is None:
            raise ValueError("near which value?")
        if self.kind == "order" and len(self.arms) < 2:
            raise ValueError("order: name at least two arms, the lowest first")
        return self


class Literature(Config):
    """A published figure, for comparison."""

    model: str
    """The model."""
    data: tuple[str, ...]
    """Names of the study's data that it was measured on (or on splits made the same way)."""
    rmse: float
    """The held-out RMSE that was published."""
    source: str
    """Authors and publication."""
    year: int
    """When."""
    test_selected: bool | None = None
    """Whether the epoch was chosen by the test ratings; None if unknown."""
    folds_in: bool | None = None
    """Whether the model predicts for new people without retraining."""
    note: str = ""
    """What differs from the protocol here."""


class Claim(Config):
    """A published claim, to be judged."""

    id: str
    """Short name: "1", "E3"."""
    text: str
    """The claim."""
    who: str = ""
    """Who made it."""
    checks: tuple[Check, ...] = Field(min_length=1)
    """All must hold for the claim to hold."""
    note: str = ""
    """A note shown with the verdict."""


class Quick(Config):
    """The cut version."""

    minutes: float = 10.0
    """Expected duration on two cores, in minutes."""
    epochs: int | None = None
    """Largest number of epochs per run."""
    seeds: tuple[int, ...] = (0,)
    """Seeds."""
    groups: tuple[str, ...] = ()
    """Groups that run; all by default."""
    skip: tuple[str, ...] = ()
    """Arms that do not run, as GROUP/ARM."""
    data: tuple[str, ...] = ()
    """Data that run; all by default."""
    users: float = 1.0
    """Share of the users to keep."""


class Study(Config):
    """A question, the arms whose runs answer it, and the claims to judge."""

    name: str
    """Short name; also of the file and the folder of its runs."""
    title: str
    """For the report."""
    text: str = ""
    """The question and its reasons, in paragraphs."""
    preset: str = "default"
    """Preset that arms start from."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes to it that all arms share."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of every arm."""
    base: str = ""
    """The reference arm of differences, as GROUP/ARM."""
    figures: tuple[Figure, ...] = ("held_out", "batch_mean")
    """What is computed after each epoch. Figures on training ratings cost a pass over them."""
    extra: tuple[str, ...] = ()
    """Measurements made once, on the trained model: "protocol" (ways to an RMSE),
    "single_row_statistics" (batch norm evaluated as the reference did), "coverage" (of unknown
    people and items, and of the intervals that predictions come with), "update" (each held-out
    rating predicted from all earlier ratings of its person; the ratings need times)."""
    data: tuple[Data, ...] = Field(min_length=1)
    """Ratings."""
    groups: tuple[ArmGroup, ...] = Field(min_length=1)
    """Arms."""
    claims: tuple[Claim, ...] = ()
    """Claims to judge."""
    literature: tuple[Literature, ...] = ()
    """Published figures, for a leaderboard."""
    quick: Quick = Quick()
    """The cut version."""
    cut: Quick | None = None
    """The options of the quick version, if this is one; not written by hand."""
