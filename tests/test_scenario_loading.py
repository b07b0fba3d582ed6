"""A scenario that is right comes with its machine types, its text and its hash."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from scenario_texts import PARK, load, park

from simulator.errors import ScenarioError
from simulator.scenario.loader import load_machine_type, load_scenario, shipped_types

CONFIGS = Path(__file__).parent.parent / "configs"
SHIPPED = sorted(shipped_types())


def test_the_text_and_its_hash_stand_for_the_file(tmp_path: Path) -> None:
    """A result can say exactly which file it came from: the hash is that of the bytes, byte order mark included."""
    data = b"\xef\xbb\xbf" + PARK.encode()
    loaded = load(tmp_path, data)
    assert (PARK, hashlib.sha256(data).hexdigest(), tmp_path / "small.yaml") == (
        loaded.text,
        loaded.sha256,
        loaded.path,
    )


def test_quantities_arrive_exact(tmp_path: Path) -> None:
    """Durations are nanoseconds, amounts whole, and a resolution is the decimal that was written."""
    loaded = load(tmp_path, park(("period: 10s", "period: 1m 500ms"), ("resolution: 0.1", "resolution: 0.05")))
    sensor = loaded.types["press"].sensors[1]
    buffer = loaded.scenario.sites[0].factories[0].buffers[0]
    assert (60_500_000_000, Decimal("0.05"), 1_000) == (sensor.period, sensor.resolution, buffer.capacity)


def test_types_are_those_that_the_scenario_uses_and_its_own(tmp_path: Path) -> None:
    """Shipped machine types are read only when a machine is one."""
    text = park(("{name: packer, type: press}", "{name: packer, type: device-test}"))
    assert {"press", "device-test"} == load(tmp_path, text).types.keys()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_type_is_called_like_its_file(name: str) -> None:
    """The name in a scenario finds the file."""
    assert name == load_machine_type(shipped_types()[name]).name


def test_the_wiring_device_plant_has_its_types() -> None:
    """What the demo needs is shipped."""
    assert {"device-assembly", "device-test", "injection-moulding"} <= set(SHIPPED)


def test_a_machine_type_of_its_own_file_is_checked_alike(tmp_path: Path) -> None:
    """Machine types are data: a mistake in one is told as in a scenario."""
    file = tmp_path / "oven.yaml"
    file.write_text("name: oven\ntitel: An oven\n")
    with pytest.raises(ScenarioError) as caught:
        load_machine_type(file)
    assert caught.value.problems[-1] == f"{file}:2:1 titel: unknown key; did you mean 'title'?"


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.name)
def test_the_scenarios_in_configs_load_without_a_warning(file: Path) -> None:
    """What is shipped as an example is right."""
    assert load_scenario(file).warnings == ()
