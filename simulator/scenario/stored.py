"""How an ingester that is not ours names what it stores, for whoever compares a database with what it should hold."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from simulator.scenario.strict import Strict

__all__ = ["Stored"]


class Stored(Strict):
    """Names in the database of someone else's ingester; what is not named here has the name that parksim gives it."""

    measurement: str | None = Field(
        default=None, min_length=1, description="the one measurement that all rows are in, as Telegraf's mqtt_consumer"
    )
    measurements: dict[str, str] = Field(default={}, description="machine type: its measurement")
    topic_tag: str | None = Field(
        default=None, min_length=1, description="the tag that holds the topic of a message; then no other tag matters"
    )
    tags: dict[str, str] = Field(
        default={}, description="province, park, factory, line or machine: the tag that holds it"
    )
    fields: dict[str, str] = Field(default={}, description="sensor, or seq for the number n of a message: its field")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.measurement is not None and self.measurements:
            message = "either measurement, one for all, or measurements, one for each type"
            raise ValueError(message)
        if self.topic_tag is not None and self.tags:
            message = "either topic_tag, or tags"
            raise ValueError(message)
        for what, names in (("fields", self.fields), ("tags", self.tags)):
            twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
            if twice:
                message = f"{what}: {twice[0]!r} stands for two things"
                raise ValueError(message)
        return self
