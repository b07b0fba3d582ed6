"""What all parts of a result have in common, and the part that many of them carry: percentiles."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeInt

__all__ = ["Count", "Part", "Percentiles"]

Count = NonNegativeInt


class Part(BaseModel):
    """The base of all parts: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Percentiles(Part):
    """Milliseconds after the moment at which a message was due; null without samples, and at full speed."""

    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    p9999: float | None = None
    max: float | None
    count: Count
