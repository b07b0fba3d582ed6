"""Grafana's dashboards ask only for what parksim writes. The queries are read as text; no Grafana runs here.

A query fits if every measurement it names is a machine or system type or one of parksim's own (key figures, truth,
people), every field is one that these measurements have, and every other column is a tag or made by the query itself.
"""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from parks import CONFIGS, MONDAY_NS
from ruamel.yaml import YAML

from simulator.park.packml import State
from simulator.park.world import World
from simulator.scenario.fault import CODES, Cause
from simulator.scenario.loader import (
    load_machine_type,
    load_scenario,
    load_system_type,
    shipped_systems,
    shipped_types,
)
from simulator.wire.line_protocol import SEQ, TAGS

GRAFANA = CONFIGS / "stack" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
GREYS = {"#30363d", "#484f58", "#6e7681", "#8b949e", "#9fa7b3"}
ALARMS = {"orange", "red"}
Dashboard = dict[str, Any]


@cache
def written() -> dict[str, dict[str, bool]]:
    """Measurement: its fields, and whether each is an integer. Types that come along, and what scenarios add."""
    found: dict[str, dict[str, bool]] = defaultdict(lambda: {SEQ: True})
    types = [load_machine_type(file) for file in shipped_types().values()]
    types += [load_system_type(file) for file in shipped_systems().values()]
    for one in types:
        found[one.name] |= {sensor.name: sensor.decimals == 0 for sensor in one.sensors}
    for scenario in ("bad-day", "tet", "throughput", "vsip2a"):
        loaded = load_scenario(CONFIGS / f"{scenario}.yaml")
        for asset in World(loaded.scenario, loaded.types, MONDAY_NS).catalog.assets:
            found[asset.kind] |= {sensor.name: sensor.is_integer for sensor in asset.sensors}
    return found


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    found: Dashboard = json.loads(Path(request.param).read_text(encoding="utf-8"))
    return found


def queries(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """Title and text of every query of a panel."""
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["query"]) for target in panel["targets"])


def named(query: str, column: str) -> set[str]:
    """What a query says that a column is, or is not."""
    return set(re.findall(rf'r\.{column} [!=]= "([^"]+)"', query))


def fields_of(query: str) -> dict[str, set[bool]]:
    """The fields that a query names, and whether they are integers in the measurements that it may read."""
    asked = set(re.findall(r'r\._measurement == "([^"]+)"', query)) or (
        set(written()) - named(query, "_measurement") - {"truth", "kpi", "people"}
    )
    return {
        field: {written()[kind][field] for kind in asked if field in written().get(kind, {})}
        for field in named(query, "_field")
    }


def made(query: str) -> set[str]:
    """Columns that a query makes by itself: renamed, pivoted, reduced, counted."""
    found = set(re.findall(r"\{_value: \"(\w+)\"\}", query)) | set(re.findall(r"[{,] ?(\w+): ", query))
    if "elapsed(" in query:
        found.add("elapsed")
    return found | (named(query, "_field") if "pivot(" in query else set())


def unknown(dashboard: Dashboard) -> list[str]:
    """Measurements, fields and columns that no row has."""
    wrong = []
    for title, query in queries(dashboard):
        wrong += [f"{title}: measurement {name}" for name in named(query, "_measurement") - set(written())]
        wrong += [f"{title}: field {name}" for name, kinds in fields_of(query).items() if not kinds]
        columns = set(re.findall(r"(?:\br|exists r)\.([a-z]\w*)", query))
        for names in re.findall(r'column\w*: (\[[^\]]*\]|"\w+")', query):
            columns |= {name for name in re.findall(r'"(\w+)"', names) if name[0] != "_"}
        wrong += [f"{title}: column {name}" for name in columns - set(TAGS) - made(query)]
    return wrong


def unfit_variables(dashboard: Dashboard) -> list[str]:
    """Variables that are not of the three, ask for no tag, or are used and not there."""
    variables = {one["name"]: one["query"] for one in dashboard["templating"]["list"]}
    tags = {tag for query in variables.values() for tag in re.findall(r'tag: "(\w+)"', query)}
    texts = [*variables.values(), *(query for _, query in queries(dashboard))]
    used = {name for text in texts for name in re.findall(r"\$\{(\w+):regex\}", text)}
    return sorted({"factory", "line", "machine"} ^ set(variables)) + sorted(
        (tags - set(TAGS)) | (used - set(variables))
    )


def mixed(dashboard: Dashboard) -> list[str]:
    """Queries that put integers and floats into one table, which Flux refuses; means and counts are of one type."""
    return [
        title
        for title, query in queries(dashboard)
        if "group(" in query
        and not re.search(r"fn: (mean|count)|count\(|derivative\(|pivot\(", query.partition("group(")[0])
        and len(set().union(*fields_of(query).values())) > 1
    ]


def strange_sources(dashboard: Dashboard) -> list[str]:
    """Panels, queries and variables that ask another data source than the one that is provisioned."""
    (source,) = YAML(typ="safe").load((GRAFANA / "provisioning/datasources/influxdb.yaml").read_text())["datasources"]
    ours = {"type": source["type"], "uid": source["uid"]}
    asked = [(panel["title"], panel["datasource"]) for panel in dashboard["panels"]]
    asked += [(panel["title"], target["datasource"]) for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [(one["name"], one["datasource"]) for one in dashboard["templating"]["list"]]
    return [name for name, of in asked if of != ours]


def bare(dashboard: Dashboard) -> list[str]:
    """Panels without a query, a unit or a sentence about them."""
    return [
        panel["title"]
        for panel in dashboard["panels"]
        if not (
            panel.get("targets")
            and all(target["query"].startswith("from(bucket: v.defaultBucket)") for target in panel["targets"])
            and panel["fieldConfig"]["defaults"].get("unit")
            and panel["description"].endswith(".")
        )
    ]


def colours(part: Any) -> Iterator[str]:
    """Every colour in a part of a dashboard."""
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key in {"color", "fixedColor"} and isinstance(value, str))
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from colours(one)


def gaudy(dashboard: Dashboard) -> list[str]:
    """Panels that are coloured without an alarm, or in colours of their own."""
    wrong = [panel["title"] for panel in dashboard["panels"] if set(colours(panel)) - GREYS - ALARMS]
    return wrong + [
        panel["title"]
        for panel in dashboard["panels"]
        if panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] not in GREYS
        or panel["fieldConfig"]["defaults"]["color"]["mode"] not in {"fixed", "shades", "thresholds"}
    ]


def unlabelled(dashboard: Dashboard) -> list[str]:
    """Names of series that come from a label which the query does not keep."""
    return [
        panel["title"]
        for panel in dashboard["panels"]
        for label in re.findall(r"labels\.(\w+)\}", panel["fieldConfig"]["defaults"].get("displayName", ""))
        if any(f'"{label}"' not in target["query"].splitlines()[-1] for target in panel["targets"])
    ]


def overlapping(dashboard: Dashboard) -> list[str]:
    """Panels that lie on a place which is taken, or beside the grid."""
    taken: set[tuple[int, int]] = set()
    wrong = []
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        place = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if place & taken or at["x"] + at["w"] > 24:
            wrong.append(panel["title"])
        taken |= place
    return wrong


def first_query(dashboard: Dashboard, old: str, new: str) -> None:
    """Replace something in the first query that has it."""
    target = next(
        target for panel in dashboard["panels"] for target in panel["targets"] if re.search(old, target["query"])
    )
    target["query"] = re.sub(old, new, target["query"], count=1)


INTEGERS_AND_FLOATS = """from(bucket: v.defaultBucket)
  |> filter(fn: (r) => r._field == "power_kw" or r._field == "good_count")
  |> group()"""

CHECKS: dict[str, tuple[Callable[[Dashboard], list[str]], Callable[[Dashboard], None]]] = {
    "fields": (unknown, lambda it: first_query(it, r'_field == "\w+"', '_field == "power_kW"')),
    "measurements": (
        unknown,
        lambda it: first_query(it, r"filter\(fn", 'filter(fn: (r) => r._measurement == "press")\n  |> filter(fn'),
    ),
    "tags": (unknown, lambda it: first_query(it, r"r\.factory", "r.plant")),
    "columns": (unknown, lambda it: first_query(it, r'columns: \["_time"', 'columns: ["_time", "plant"')),
    "variables": (unfit_variables, lambda it: it["templating"]["list"].pop()),
    "types": (mixed, lambda it: it["panels"][0]["targets"][0].update(query=INTEGERS_AND_FLOATS)),
    "data source": (strange_sources, lambda it: it["panels"][-1]["datasource"].update(uid="other")),
    "panels": (bare, lambda it: it["panels"][0].update(targets=[])),
    "units": (bare, lambda it: it["panels"][0]["fieldConfig"]["defaults"].pop("unit")),
    "colours": (gaudy, lambda it: it["panels"][0]["fieldConfig"]["defaults"]["color"].update(fixedColor="green")),
    "base colour": (
        gaudy,
        lambda it: it["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(color="red"),
    ),
    "labels": (
        unlabelled,
        lambda it: it["panels"][0]["fieldConfig"]["defaults"].update(displayName="${__field.labels.province}"),
    ),
    "grid": (overlapping, lambda it: it["panels"][1]["gridPos"].update(it["panels"][0]["gridPos"])),
}


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_wrong_with_a_dashboard(dashboard: Dashboard, name: str) -> None:
    """Each check finds nothing in it, and something once it is broken."""
    check, break_it = CHECKS[name]
    assert check(dashboard) == []
    broken = copy.deepcopy(dashboard)
    break_it(broken)
    assert check(broken) != []


def test_they_are_those_that_are_meant_and_have_addresses_of_their_own() -> None:
    """Five, with a uid and a title each."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in FILES]
    assert [file.stem for file in FILES] == ["alarms", "energy", "load-test", "park", "pipeline"]
    assert len({one["uid"] for one in found}) == len({one["title"] for one in found}) == len(FILES)


def test_they_are_mounted_where_grafana_looks_for_them() -> None:
    """The folder of the provider is the one that docker-compose.yml mounts the dashboards at."""
    (provider,) = YAML(typ="safe").load((GRAFANA / "provisioning/dashboards/parksim.yaml").read_text())["providers"]
    grafana = YAML(typ="safe").load((CONFIGS.parent / "docker-compose.yml").read_text())["services"]["grafana"]
    folder = provider["options"]["path"]
    assert f"./configs/stack/grafana/dashboards:{folder}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{folder}/park.json"


def texts(dashboard: str, *, first: str) -> Iterator[dict[str, str]]:
    """Every mapping of values to texts in a dashboard that knows the value ``first``."""
    waiting: list[Any] = [json.loads((GRAFANA / "dashboards" / f"{dashboard}.json").read_text(encoding="utf-8"))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            options = part.get("options")
            if part.get("type") == "value" and isinstance(options, dict) and first in options:
                yield {value: one["text"] for value, one in options.items()}
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def test_codes_have_the_names_that_parksim_gives_them() -> None:
    """States after PackML, faults and causes of the truth."""
    states = {str(int(state)): state.name.capitalize() for state in State}
    for dashboard in ("park", "alarms"):
        found = list(texts(dashboard, first="17"))
        assert found != []
        assert all(one == states for one in found)
    assert {str(code): kind for kind, code in CODES.items()} in list(texts("alarms", first="11"))
    (causes,) = [one for one in texts("alarms", first="4") if "11" not in one]
    assert set(causes) == {str(int(cause)) for cause in Cause}


def test_the_load_test_is_shown_when_it_takes_place() -> None:
    """Its time is that of the scenario that the stack plays: simulated, and fixed."""
    time = json.loads((GRAFANA / "dashboards" / "load-test.json").read_text())["time"]
    start = load_scenario(CONFIGS / "throughput.yaml").scenario.start
    assert isinstance(start, datetime)
    assert datetime.fromisoformat(time["from"]) <= start < datetime.fromisoformat(time["to"])
