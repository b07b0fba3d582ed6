"""How people learn, against Wright's curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.park import learning
from simulator.validate.figures import Figure, compare
from simulator.validate.published import LearningFigures

__all__ = ["wright"]


def wright(known: LearningFigures) -> Iterator[Figure]:
    """Yield the time that repetitions take per that of the first, for each kind of work: it falls to a floor."""
    rates = {**learning.WORK_RATES, "repair": learning.REPAIR_RATE}
    for kind, rate in known.rates.items():
        for repetition in known.repetitions:
            wanted = max(rate ** np.log2(repetition), known.floor)
            yield compare(
                "learning",
                f"{kind}: time of repetition {repetition} per that of the first",
                ours=float(learning.wright(np.array([float(repetition)]), rate=rates[kind])[0]),
                published=float(wanted),
                unit="1",
                source=known.source,
                tolerance=known.tolerance * float(wanted),
            )
