"""``parksim bench``: its commands and options."""

# ruff: noqa: PLC0415, D301, PLR0917 - as in simulator.cli

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from brokers import Broker
    from simulator.bench.against import Rival

__all__ = ["bench"]

bench = typer.Typer(
    name="bench",
    short_help="Measure this machine, a broker, a database.",
    help="Measure parksim, a broker or a database, each time against a raw yardstick in the same run. JSON on stdout.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (YAML).")]
Rounds = Annotated[int, typer.Option(metavar="N", min=1, max=100, help="Rounds; medians are told.")]
Messages = Annotated[
    int, typer.Option(metavar="N", min=1_000, max=5_000_000, help="Messages that each contender deals with in a round.")
]
Against = Annotated[
    str | None,
    typer.Option(metavar="COMMAND", help="Another tool that takes its turn in each round; see docs/benchmarks.md."),
]
BrokerText = Annotated[
    str,
    typer.Option(
        metavar="BROKER",
        help="mosquitto (a fast one of our own), embedded, auto, or an address: mqtt://host:1883.",
    ),
]


@bench.command(short_help="How fast readings are made and encoded.")
def generate(
    scenario: ScenarioFile,
    rounds: Rounds = 5,
    minutes: Annotated[int, typer.Option(metavar="N", min=1, max=1440, help="Simulated minutes per round.")] = 30,
    window: Annotated[
        str, typer.Option(metavar="TIME", help="Simulated time that is made at once; it changes no reading.")
    ] = "60s",
    against: Against = None,
) -> None:
    """Make the readings of a scenario and encode them, on one core, against bare NumPy noise.

    \b
    Example:
      parksim bench generate configs/quickstart.yaml --rounds 5
    """
    from simulator.bench.generate import generate as measure
    from simulator.scenario.loader import load_scenario

    loaded = load_scenario(scenario)
    show(measure(loaded, rounds=rounds, minutes=minutes, window=window, rival=rival(against), told=tell))


@bench.command(short_help="How fast live readings go into a broker.")
def publish(
    scenario: ScenarioFile,
    broker: BrokerText = "mosquitto",
    qos: Annotated[int, typer.Option(metavar="0|1|2", min=0, max=2, help="MQTT quality of service.")] = 0,
    window: Annotated[
        int, typer.Option(metavar="N", min=1, max=65_535, help="Messages sent and not yet acknowledged.")
    ] = 1000,
    messages: Messages = 200_000,
    rounds: Rounds = 5,
    paced: Annotated[
        str,
        typer.Option(metavar="TIME", help="Then publish at half the raw rate for so long, and tell how late. 0s: no."),
    ] = "10s",
    against: Against = None,
) -> None:
    """Simulate, encode and publish, against a bare socket that sends the same packets out of memory.

    \b
    Examples:
      parksim bench publish configs/throughput.yaml
      parksim bench publish configs/throughput.yaml --qos 1 --window 100 --broker mqtt://localhost
    """
    from simulator.bench.publish import publish as measure
    from simulator.publish.pacing import TURN_S
    from simulator.scenario.loader import load_scenario

    loaded, other = load_scenario(scenario), rival(against)
    paced_s = seconds("--paced", paced)
    sys.setswitchinterval(TURN_S)
    with opened(broker) as entered:
        show(
            measure(
                loaded,
                entered,
                qos=qos,
                window=window,
                messages=messages,
                rounds=rounds,
                paced_s=paced_s,
                rival=other,
                told=tell,
            )
        )


@bench.command(short_help="How fast the bridge makes rows of what a broker sends.")
def bridge(
    scenario: ScenarioFile,
    broker: BrokerText = "mosquitto",
    messages: Messages = 200_000,
    rounds: Rounds = 5,
    against: Against = None,
) -> None:
    """Receive JSON and make line protocol of it, for a store that forgets, against a bare subscriber.

    \b
    Example:
      parksim bench bridge configs/throughput.yaml
    """
    from simulator.bench.bridge import bridge as measure
    from simulator.scenario.loader import load_scenario

    loaded, other = load_scenario(scenario), rival(against)
    with opened(broker) as entered:
        show(measure(loaded, entered, messages=messages, rounds=rounds, rival=other, told=tell))


@bench.command(short_help="How fast rows go into a database.")
def write(
    scenario: ScenarioFile,
    store: Annotated[str, typer.Option(metavar="STORE", help="influxdb://host:8086/BUCKET?org=ORG; it is written to.")],
    messages: Messages = 50_000,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=16, help="Connections that write, of every contender.")
    ] = 1,
    rounds: Rounds = 5,
    against: Against = None,
) -> None:
    """Write rows through the store of a run, with and without making them of JSON, against bare HTTP requests.

    \b
    Example:
      parksim bench write configs/throughput.yaml --store "influxdb://localhost:8428/bench"
    """
    from simulator.bench.write import write as measure
    from simulator.scenario.loader import load_scenario

    loaded, other = load_scenario(scenario), rival(against)
    show(measure(loaded, store, messages=messages, workers=workers, rounds=rounds, rival=other, told=tell))


def seconds(option: str, text: str) -> float:
    """Read a time that may be zero. Raises ScenarioError."""
    from simulator.errors import ScenarioError
    from simulator.scenario.quantities import duration_ns

    try:
        return duration_ns(text) / 1e9
    except ValueError as error:
        message = f"{option} {text}: {error}"
        raise ScenarioError(message) from error


def rival(command: str | None) -> Rival | None:
    from simulator.bench.against import Rival

    return None if command is None else Rival(command)


@contextmanager
def opened(text: str) -> Iterator[Broker]:
    """Start a broker, a fast one if it is ours, or look whether it is there. Raises ScenarioError, OutOfReachError."""
    from brokers import ManagedMosquitto, open_broker
    from simulator.run.hops import as_parksim_errors

    with as_parksim_errors(), ManagedMosquitto(durable=False) if text == "mosquitto" else open_broker(text) as entered:
        yield entered


def tell(what: str) -> None:
    typer.echo(what, err=True)


def show(result: dict[str, Any]) -> None:
    typer.echo(json.dumps(result, indent=2))
