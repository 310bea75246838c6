"""The fields of a manifest, with their types and bounds."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
)

MOST = 2**31 - 1
"""Largest number of users or items, as codes are int32."""

Count = Annotated[StrictInt, Field(ge=0, le=MOST)]
Size = Annotated[StrictInt, Field(ge=0, le=2**62)]
Number = Annotated[FiniteFloat, Field(strict=True)]
FileName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=100)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _ExactFields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Fields):
    """A file of the folder."""

    sha256: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Size


class Data(_Fields):
    """The training data."""

    name: StrictStr
    n_users: Count
    n_items: Count
    n_ratings: Size
    fingerprint: StrictStr
    notes: list[StrictStr]
    newest: StrictInt | None = None


class BiasFields(_Fields):
    """Scalars of the bias model."""

    mean: Number
    user_reg: Annotated[Number, Field(ge=0)]


class TimeOffsetFields(_ExactFields):
    """A time offset."""

    per_log_day: Number
    new: Number
    longest: Annotated[Number, Field(ge=0)]


class SpreadFields(_ExactFields):
    """Scalars of the predictive variance."""

    variance: Annotated[Number, Field(ge=0)]
    n: Size
    source: StrictStr


class PreferenceFields(_ExactFields):
    """The probability that a rating reaches a threshold."""

    threshold: Number
    intercept: Number
    slope: Annotated[Number, Field(ge=0)]
    n: Size


class ChoiceRateFields(_ExactFields):
    """Calibration from interest scores to choice probabilities."""

    power: Number
    floor: Annotated[Number, Field(gt=0)]


class Manifest(_Fields):
    """A manifest of any supported version."""

    schema_: Annotated[StrictInt, Field(alias="schema", ge=1)]
    kind: Annotated[StrictStr, Field(max_length=100)]
    config: dict[StrictStr, Any]
    scale: Annotated[list[Number], Field(min_length=2, max_length=2)]
    clip: StrictBool
    bias: BiasFields
    spread: SpreadFields | None = None
    interest: dict[StrictStr, Any] | None = None
    preference: PreferenceFields | None = None
    love: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=True)] = 1.0  # NaN is not >= 0
    floor: Annotated[Number, Field(ge=0)] = 0.0
    choice_rate: ChoiceRateFields | None = None
    time_offset: TimeOffsetFields | None = None
    data: Data
    seed: StrictInt
    split: Any
    metrics: Any
    record: dict[StrictStr, Any]
    versions: dict[StrictStr, StrictStr]
    files: Annotated[dict[FileName, File], Field(max_length=20)]

    @field_validator("interest")
    @classmethod
    def _finite(cls, interest: Any) -> Any:
        try:
            json.dumps(interest, allow_nan=False)
        except ValueError:
            raise ValueError("holds a number that is not finite") from None
        return interest

    @field_validator("scale")
    @classmethod
    def _rises(cls, scale: list[float]) -> list[float]:
        if not scale[0] <= scale[1]:
            raise ValueError("the lowest rating is above the highest")
        return scale
