"""Scenario files as tests write them: a whole small park, in which a test replaces one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.scenario.loader import Loaded, load_scenario

PARK = """\
parksim: 1
name: small
machine_types:
  - name: press
    title: A press
    source: a test
    cycle: 10s
    pieces: 4
    first_pass_yield: 0.99
    motor: {rated_kw: 10, execute_load: 0.5, idle_load: 0.1}
    stops:
      - {name: jam, mtbf: 1h, repair: {mean: 2m}, by: operator, becomes: held}
    sensors:
      - {name: state, unit: "1", range: [0, 17], resolution: 1, period: 1s, model: {kind: state}}
      - {name: oil_c, unit: Cel, range: [0, 100], resolution: 0.1, period: 10s, model: {kind: lag, on: 45, tau: 5m}}
      - {name: peak_bar, unit: bar, range: [0, 2000], resolution: 1, model: {kind: cycle, mean: 900, sigma: 8}}
sites:
  - name: north
    province: binh-duong
    factories:
      - name: plant
        crew: 2
        shifts: {hours: ["06:00-14:00", "14:00-22:00"]}
        buffers:
          - {name: parts, capacity: 1k}
        lines:
          - name: making
            gives: parts
            machines:
              - {name: press, type: press, count: 3}
          - name: packing
            takes: {parts: 2}
            machines:
              - {name: packer, type: press}
"""


def park(*changes: tuple[str, str]) -> str:
    """Return the small park with pieces of its text replaced, each of which must be there once."""
    text = PARK
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def pointed(text: str) -> tuple[str, str]:
    """Take the mark § out of a text; return the text, and the line and column that it stood before."""
    before, _, after = text.partition("§")
    return before + after, f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def load(folder: Path, text: str | bytes) -> Loaded:
    """Load a scenario from ``small.yaml`` in a folder."""
    file = folder / "small.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_scenario(file)


def problems(folder: Path, text: str | bytes) -> list[str]:
    """Return what is wrong with a scenario, each sentence without the folder."""
    with pytest.raises(ScenarioError) as caught:
        load(folder, text)
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]
