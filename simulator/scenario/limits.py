"""Limits of what may leave the park: editions of regulations as data, and the check of values against a permit.

What is not known is never passed: a parameter without a limit, or an edition whose table has not been entered, gives
``no limit known``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulator.errors import ScenarioError
from simulator.scenario.quantities import Name
from simulator.scenario.sensor import Strict

__all__ = ["Bounds", "Edition", "Finding", "Limit", "Permit", "edition_in_force"]

Floats = NDArray[np.floating[Any]]


class Finding(IntEnum):
    """What a check of one value says."""

    OK = 0
    EXCEEDED = 1
    NO_LIMIT = 2
    NO_VALUE = 3

    @property
    def words(self) -> str:
        """For people."""
        return ("ok", "exceeded", "no limit known", "no value")[self]

    @classmethod
    def overall(cls, findings: NDArray[np.int8]) -> Finding:
        """Return what holds of many values: one excess is enough, and nothing is ok without a limit and a value."""
        for worst in (cls.EXCEEDED, cls.NO_LIMIT, cls.OK):
            if np.any(findings == worst):
                return worst
        return cls.NO_VALUE


class Bounds(Strict):
    """The values that are allowed, both ends included."""

    low: float | None = Field(default=None, description="the least value")
    high: float | None = Field(default=None, description="the greatest value")

    @model_validator(mode="after")
    def bounds_something(self) -> Self:
        if self.low is None and self.high is None:
            message = "low and high are both missing; give one of them"
            raise ValueError(message)
        if self.low is not None and self.high is not None and self.low >= self.high:
            message = f"low(={self.low:g}) must be less than high(={self.high:g})"
            raise ValueError(message)
        return self


class Limit(Strict):
    """The limits of one parameter."""

    parameter: Name = Field(description="name of the sensor, with its unit: cod_mg_l")
    unit: str = Field(description="UCUM or plain: mg/L, Cel, 1")
    scaled: bool = Field(default=True, description="whether the factors of the permit apply to its upper limit")
    columns: dict[str, Bounds] = Field(min_length=1, description="what each column of the table allows")


class Edition(Strict):
    """One edition of a regulation. Without limits it is known to be in force, and no more."""

    standard: Name = Field(description="the regulation: qcvn-40")
    edition: int = Field(description="its year")
    title: str = Field(description="for people")
    effective_from: date = Field(description="the first day on which it is in force")
    source: str = Field(description="where the limits come from")
    note: str = Field(default="", description="what a reader should know")
    factors: tuple[Name, ...] = Field(default=(), description="what a permit multiplies the limits with: kq, kf")
    limits: tuple[Limit, ...] = Field(default=(), description="the table")

    @model_validator(mode="after")
    def names_each_parameter_once(self) -> Self:
        names = [limit.parameter for limit in self.limits]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            message = f"limits: {', '.join(twice)} is there twice; one entry holds all columns"
            raise ValueError(message)
        return self


@dataclass(frozen=True)
class Permit:
    """What one plant is held to: an edition, a column of its table, and the factors of its permit.

    ``factors`` holds at least those that the edition asks for. Others are ignored, since one permit may be checked
    against editions that scale differently.

    Raises ScenarioError when a factor is missing or the table has no such column.
    """

    edition: Edition
    column: str
    factors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = f"{self.edition.standard}-{self.edition.edition}"
        missing = [factor for factor in self.edition.factors if factor not in self.factors]
        if missing:
            message = f"permit: {name} scales its limits by {', '.join(missing)}; give a value, 1 for no change"
            raise ScenarioError(message)
        columns = sorted({column for limit in self.edition.limits for column in limit.columns})
        if columns and self.column not in columns:
            message = f"permit: {name} has no column {self.column!r}; use {' or '.join(columns)}"
            raise ScenarioError(message)

    def bounds(self, parameter: str) -> Bounds | None:
        """Return what is allowed, Cmax = C · factors, or None if no limit is known."""
        limit = next((one for one in self.edition.limits if one.parameter == parameter), None)
        bounds = limit.columns.get(self.column) if limit is not None else None
        if limit is None or bounds is None or bounds.high is None or not limit.scaled:
            return bounds
        scale = prod(self.factors[factor] for factor in self.edition.factors)
        return Bounds(low=bounds.low, high=bounds.high * scale)

    def exceedances(self, parameter: str, values: Floats) -> NDArray[np.int8]:
        """Return a Finding for each value, int8[N]; a NaN is no value, a value on the limit is allowed."""
        bounds = self.bounds(parameter)
        if bounds is None:
            return np.full(len(values), Finding.NO_LIMIT, dtype=np.int8)
        low = -np.inf if bounds.low is None else bounds.low
        high = np.inf if bounds.high is None else bounds.high
        findings = np.where((values < low) | (values > high), Finding.EXCEEDED, Finding.OK)
        return np.where(np.isnan(values), Finding.NO_VALUE, findings).astype(np.int8)


def edition_in_force(editions: Iterable[Edition], standard: str, on: date) -> Edition:
    """Return the newest edition of a regulation that is in force on a day.

    Raises ScenarioError if none is.
    """
    known = sorted((one for one in editions if one.standard == standard), key=lambda one: one.effective_from)
    begun = [one for one in known if one.effective_from <= on]
    if not begun:
        first = f"the first one known begins on {known[0].effective_from}" if known else "no edition is known"
        message = f"{standard}: no edition is in force on {on}; {first}"
        raise ScenarioError(message)
    return begun[-1]
