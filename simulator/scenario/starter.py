"""The scenario that ``parksim init`` writes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.scenario.json_schema import IDENTIFIER, schema_text
from simulator.scenario.quantities import valid_name

__all__ = ["write_starter"]

TEMPLATE_NAME = "my-park"
SCHEMA_FILE = "scenario.schema.json"


def write_starter(name: str, folder: Path, *, force: bool = False) -> list[Path]:
    """Write NAME.yaml and, beside it, the JSON Schema that its modeline names. Return the files written.

    The schema lies beside the scenario, as in ``configs/``: the modeline then stays right when both move, and an
    editor finds it without a network. An older schema of parksim's is replaced.

    Raises ScenarioError for a name that is none, a file that is there already (unless ``force``), or a folder that
    cannot be written.
    """
    bare = name.removesuffix(".yaml").removesuffix(".yml")
    try:
        valid_name(bare)
    except ValueError as error:
        message = f"init: {error}"
        raise ScenarioError(message) from None
    if bare != name:
        message = f"init: {name!r} is a file name; write `parksim init {bare}`, it adds the .yaml"
        raise ScenarioError(message)
    scenario, schema = folder / f"{name}.yaml", folder / SCHEMA_FILE
    template = resources.files("simulator.scenario").joinpath("template.yaml").read_text("utf-8")
    text = template.replace(TEMPLATE_NAME, name)
    try:
        if schema.exists() and IDENTIFIER not in schema.read_text("utf-8", errors="replace"):
            message = (
                f"init: {schema} is there and is not parksim's; move it away, the scenario's editor support needs it"
            )
            raise ScenarioError(message)
        with scenario.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
        schema.write_text(schema_text(), "utf-8")
    except FileExistsError:
        message = f"init: {scenario} is there already; choose another name, or add --force to overwrite it"
        raise ScenarioError(message) from None
    except OSError as error:
        message = f"init: {error.filename or scenario} cannot be written: {error.strerror}"
        raise ScenarioError(message) from None
    return [scenario, schema]
