"""`parksim init NAME` writes a scenario that explains itself, loads and lives."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Parksim, parksim
from jsonschema import Draft202012Validator
from parks import MONDAY_NS, SECOND_NS

from simulator.park.world import World
from simulator.plan import plan
from simulator.scenario.json_schema import schema_of, schema_text
from simulator.scenario.loader import load_scenario
from simulator.scenario.reader import read_document
from simulator.scenario.schema import Scenario

__all__ = ["parksim"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_a_scenario_and_its_schema(parksim: Parksim, here: Path) -> None:
    """Two files, and a word on stderr about each and about what to do next."""
    assert parksim("init", "my-plant") == (
        0,
        "",
        "wrote my-plant.yaml\nwrote scenario.schema.json\nnext: parksim check my-plant.yaml\n",
    )
    assert sorted(file.name for file in here.iterdir()) == ["my-plant.yaml", "scenario.schema.json"]


def test_it_bears_the_name_and_passes_its_check(parksim: Parksim) -> None:
    """The scenario loads without a warning, under the name that was asked for."""
    parksim("init", "my-plant")
    loaded = load_scenario(Path("my-plant.yaml"))
    assert (loaded.scenario.name, plan(loaded).warnings, parksim("check", "my-plant.yaml").code) == ("my-plant", (), 0)


def test_its_modeline_names_the_schema_beside_it(parksim: Parksim, here: Path) -> None:
    """An editor finds the schema where the scenario stands, and has nothing to underline."""
    parksim("init", "my-plant")
    document = read_document(here / "my-plant.yaml")
    assert document.text.startswith("# yaml-language-server: $schema=./scenario.schema.json\n")
    assert schema_text() == (here / "scenario.schema.json").read_text("utf-8")
    assert Draft202012Validator(schema_of(Scenario)).is_valid(document.root.plain())


def test_it_lives_for_a_minute(parksim: Parksim) -> None:
    """Every machine of the park speaks in the first simulated minute."""
    parksim("init", "my-plant")
    loaded = load_scenario(Path("my-plant.yaml"))
    world = World(loaded.scenario, loaded.types, MONDAY_NS)
    (batch,) = world.batches(MONDAY_NS + 60 * SECOND_NS, 60 * SECOND_NS)
    assert set(range(plan(loaded).assets)) <= set(world.catalog.asset_of[batch.sensor].tolist())


def test_every_key_of_a_scenario_is_in_it(parksim: Parksim, here: Path) -> None:
    """What can be written is shown, if only as a comment; machine types have their own pages."""
    parksim("init", "my-plant")
    words = (here / "my-plant.yaml").read_text("utf-8").replace("{", " ").replace("- ", " ").split()
    schema = schema_of(Scenario)
    parts = [schema, *(schema["$defs"][name] for name in ("Site", "Factory", "Shifts", "Buffer", "Line", "Machine",
                                                           "Messaging", "Run"))]  # fmt: skip
    keys = {key for part in parts for key in part["properties"]}
    assert {key for key in keys if f"{key}:" not in words} == set()


def test_what_is_commented_out_is_right_too(parksim: Parksim, here: Path) -> None:
    """Taking the comment signs away from keys leaves a scenario that loads."""
    parksim("init", "my-plant")
    file = here / "my-plant.yaml"
    lines = file.read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("parksim:"))
    uncommented = [
        line.replace("# ", "", 1) if line.lstrip().startswith("# ") and ":" in line and number > first else line
        for number, line in enumerate(lines)
    ]
    prose = ("What differs from", "From-to in", "Machine types of your own")
    file.write_text("\n".join(line for line in uncommented if not line.strip().startswith(prose)) + "\n")
    scenario = load_scenario(file).scenario
    assert (scenario.machine_types[0].name, scenario.run.duration) == ("laser-marker", 600 * SECOND_NS)


def test_it_overwrites_only_by_force(parksim: Parksim, here: Path) -> None:
    """A scenario that is there stays, unless --force is given."""
    (here / "mine.yaml").write_text("precious")
    code, out, err = parksim("init", "mine")
    assert (code, out) == (104, "")
    assert err == "init: mine.yaml is there already; choose another name, or add --force to overwrite it\n"
    assert (here / "mine.yaml").read_text() == "precious"
    assert parksim("init", "mine", "--force").code == 0
    assert load_scenario(here / "mine.yaml").scenario.name == "mine"


def test_it_leaves_a_schema_of_someone_else(parksim: Parksim, here: Path) -> None:
    """A file of that name that is not parksim's is not touched, and then nothing is written."""
    (here / "scenario.schema.json").write_text("{}")
    code, _, err = parksim("init", "mine", "--force")
    assert (code, [file.name for file in here.iterdir()]) == (104, ["scenario.schema.json"])
    assert err.startswith("init: scenario.schema.json is there and is not parksim's")


def test_it_renews_an_older_schema_of_its_own(parksim: Parksim, here: Path) -> None:
    """After an update the schema beside the scenarios is the new one."""
    parksim("init", "one")
    (here / "scenario.schema.json").write_text('{"$id": "urn:parksim:scenario:1"}')
    parksim("init", "two")
    assert schema_text() == (here / "scenario.schema.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("My Park", "init: 'My Park' is no name; use 1 to 63 of a-z, 0-9, - and _"),
        ("../up", "init: '../up' is no name"),
        ("/tmp/abs", "init: '/tmp/abs' is no name"),
        ("a\nb", "init: 'a\\nb' is no name"),
        ("", "init: '' is no name"),
        ("park.yaml", "init: 'park.yaml' is a file name; write `parksim init park`, it adds the .yaml"),
    ],
)
def test_a_name_that_is_none_is_refused(parksim: Parksim, here: Path, name: str, told: str) -> None:
    """The name becomes the scenario's name and a level of topics: no path, no spaces."""
    code, _, err = parksim("init", name)
    assert (104, told, []) == (code, err[: len(told)], list(here.iterdir()))


def test_a_folder_that_cannot_be_written_is_told(parksim: Parksim, here: Path) -> None:
    """The system's reason is passed on, without a traceback."""
    (here / "mine.yaml").mkdir()
    code, _, err = parksim("init", "mine", "--force")
    assert (code, err) == (104, "init: mine.yaml cannot be written: Is a directory\n")
