"""The command line.

Commands import what they need when they run, so that ``parksim --help`` stays quick.
"""

# ruff: noqa: PLC0415 - see above
# ruff: noqa: D301, FBT002, PLR0917 - click marks a paragraph to be left alone with a backspace; typer's flags are such arguments

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.bench.commands import bench
from simulator.errors import ExitCode, ParksimError
from simulator.run.letters import dead_letters as dead_letters_commands
from simulator.view.web import HOST, PORT

if TYPE_CHECKING:
    from simulator.plan import Plan

__all__ = ["app", "main"]

USAGE_EXIT_CODES = {2: ExitCode.BAD_CONFIGURATION, 130: ExitCode.INTERRUPTED}
"""What typer ends with for a wrong option or argument, and for Ctrl-C, and what parksim ends with."""

app = typer.Typer(
    name="parksim",
    add_completion=False,
    # rich would more than double the time that --help takes
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> None:
    """Run parksim and end the process with its exit code."""
    try:
        app(prog_name="parksim")
    except ParksimError as error:
        typer.echo(error, err=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        sys.exit(USAGE_EXIT_CODES.get(code, end.code))


def print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with a position
    if wanted:
        from importlib.metadata import version

        typer.echo(f"parksim {version('parksim')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def parksim(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Simulate a smart industrial park: machines that run, jam and wear, and their telemetry over MQTT into a database.

    \b
    Start here:
      parksim init my-park                   write my-park.yaml, a park to change
      parksim check my-park.yaml             see what is wrong with it, and what it amounts to
      parksim run my-park.yaml --for 60s     run it, through a broker into a database

    \b
    Exit codes:
      0 passed                     105 interrupted
      99 a threshold failed        106 broker or store out of reach
      104 bad configuration        107 readings lost or unaccounted
      111 the generator was too slow, the result is invalid
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(short_help="Check a scenario and print what it amounts to.")
def check(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (YAML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Check a scenario file and print what it amounts to: assets, rates, connections, memory.

    Every mistake is told at once, with its line and column, and ends in exit code 104.

    \b
    Examples:
      parksim check configs/quickstart.yaml
      parksim check configs/quickstart.yaml --json | jq .messages_per_s
    """
    from simulator.plan import plan
    from simulator.scenario.loader import load_scenario

    planned = plan(load_scenario(scenario))
    for warning in planned.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if as_json:
        import json

        typer.echo(json.dumps(planned.as_json(), indent=2))
    else:
        typer.echo(plan_text(planned))


def plan_text(plan: Plan) -> str:
    """Return a plan for people to read."""
    connected = f"{plan.connections:,} {plan.connections_of}{'' if plan.connections == 1 else 's'}"
    bridge = "the bridge" if plan.bridge_workers == 1 else f"{plan.bridge_workers} bridge workers"
    rows = [
        ("scenario", f"{plan.name} is valid"),
        ("assets", f"{plan.assets:,}"),
        ("sensors", f"{plan.sensors:,}"),
        ("messages", f"{plan.messages_per_s:,.1f} /s while every machine works"),
        ("readings", f"{plan.readings_per_s:,.1f} /s"),
        ("traffic", f"{size(plan.bytes_per_s)}/s of MQTT packets, {size(plan.payload_bytes_per_s)}/s of them payload"),
        ("rows", f"{plan.rows_per_day:,} a day, with {plan.readings_per_day:,} readings"),
        ("connections", f"{connected} and {bridge}"),
        *(("memory", f"{cap.what}: at most {cap.messages:,} messages, {size(cap.bytes)}") for cap in plan.caps),
        *(("ports", port) for port in plan.ports),
    ]
    return "\n".join(f"{label:<12} {text}" for label, text in rows)


def size(count: float) -> str:
    """Write bytes in the unit that suits them."""
    unit = next((unit for unit in (10**9, 10**6) if count >= unit), 10**3)
    return f"{count / unit:,.1f} {({10**9: 'GB', 10**6: 'MB', 10**3: 'kB'})[unit]}"


@app.command(short_help="Run a scenario: park, broker, bridge, store.")
def run(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (YAML).")],
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Simulated time: 60s, 10m, 1d. Default: what the scenario says."),
    ] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="N|max", help="Simulated seconds per second, 0.001 to 1e6, or max.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Another seed than that of the scenario.")] = None,
    broker: Annotated[
        str,
        typer.Option(
            metavar="BROKER",
            help="auto, embedded, mosquitto, memory (in this process, for tests), or an address: mqtt://host:1883.",
        ),
    ] = "auto",
    store: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="sqlite:FILE, influxdb://host:8086/BUCKET?org=ORG, none. Default: sqlite:<name>.db."
        ),
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep there what the store does not take, up to 1 GiB, and go on."),
    ] = None,
    dead_letters: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Keep there the messages that the store will never take."),
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(
            metavar="VIEW",
            help="web: a page; terminal: the whole screen; plain: a line every 10 s; none. Default: a status line.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where --view web listens; beyond this machine with a token.")
    ] = HOST,
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65_535, help="Its port; 0 is any free one.")] = PORT,
    lang: Annotated[str, typer.Option(metavar="en|vi", help="Language of --view web and terminal.")] = "en",
    summary: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the result there.")] = None,
) -> None:
    """Run a park: its readings go through MQTT and a bridge into a database, and every one is accounted for.

    Without --for it runs until Ctrl-C, SIGTERM or SIGHUP, which drains what is under way; a second one ends at once.
    A summary or result that cannot be written turns exit code 0 into 104, and no other one.

    \b
    Examples:
      parksim run configs/quickstart.yaml --for 60s
      parksim run configs/quickstart.yaml --for 1d --speed max --store sqlite:day.db
      parksim run configs/quickstart.yaml --view terminal --lang vi
      parksim run configs/quickstart.yaml --broker mqtt://localhost --store "influxdb://localhost/park?org=plant"
    """
    from simulator.run.launch import launch

    exit_code = launch(
        scenario,
        duration=duration,
        speed=speed,
        seed=seed,
        broker=broker,
        store=store,
        spool=spool,
        dead_letter_file=dead_letters,
        view=view,
        summary_file=summary,
        language=lang,
        host=host,
        port=port,
    )
    raise typer.Exit(exit_code)


@app.command(short_help="Watch a run that goes on elsewhere.")
def watch(
    url: Annotated[str, typer.Argument(metavar="URL", help="The page of a run: http://127.0.0.1:8080[?token=TOKEN].")],
    lang: Annotated[str, typer.Option(metavar="en|vi", help="Language of the view.")] = "en",
) -> None:
    """Show the terminal view of a run that has a web page; q leaves, and the run goes on.

    Ends in exit code 106 if nobody is there, or the connection is lost before the run is over, and in 104 if what is
    there is no parksim, or refuses the token.

    \b
    Example:
      parksim watch http://127.0.0.1:8080
    """
    from simulator.view.terminal.watch import watch as watch_url

    watch_url(url, language=lang)


@app.command(short_help="Load a pipeline, and judge it by thresholds.")
def load(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (YAML).")],
    rate: Annotated[
        str | None, typer.Option(metavar="N/s", help="Messages a second, such as 25k/s, in place of the stages.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="How long with --rate, wall time: 60s; each probe: 10s."),
    ] = None,
    find_max: Annotated[
        bool, typer.Option("--find-max", help="Search for the highest rate that holds; --rate says where to begin.")
    ] = False,
    broker: Annotated[
        str, typer.Option(metavar="BROKER", help="auto, embedded, mosquitto, or an address: mqtt://host:1883.")
    ] = "auto",
    store: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="sqlite:FILE, influxdb://host:8086/BUCKET?org=ORG, none. Default: sqlite:<name>.db."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Processes that send the park together.")
    ] = 1,
    bridge: Annotated[
        str, typer.Option(metavar="WHOSE", help="own, or none: someone else fills the store, which is only looked at.")
    ] = "own",
    view: Annotated[
        str | None,
        typer.Option(metavar="VIEW", help="web: a page; plain: a line every 10 s; none. Default: a status line."),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where --view web listens; beyond this machine with a token.")
    ] = HOST,
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65_535, help="Its port; 0 is any free one.")] = PORT,
    lang: Annotated[str, typer.Option(metavar="en|vi", help="Language of --view web.")] = "en",
    summary: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the result there.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a report to look at.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE.xml", help="Write thresholds as JUnit tests.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Write rates and latencies by second.")] = None,
) -> None:
    """Play a park faster or slower, by the stages under `load:`, and judge the pipeline by its thresholds.

    The loop is open: a message is due when the profile says so, whoever is slow, and latency runs from there. What
    could not be sent in time is dropped and counted. Before, the generator shows what it can with a sink behind it.
    Exit codes: 99 a threshold failed, 111 the generator was too slow, so nothing is known.

    \b
    Examples:
      parksim load configs/throughput.yaml --store none
      parksim load configs/throughput.yaml --rate 20k/s --for 30s --store none --report report.html
      parksim load configs/throughput.yaml --find-max --store none
      parksim load mine.yaml --broker mqtt://host --bridge none --store influxdb://host/bucket?org=us
    """
    from simulator.run.load_test.launch import Files, launch_load

    raise typer.Exit(
        launch_load(
            scenario,
            rate=rate,
            duration=duration,
            search=find_max,
            workers=workers,
            bridge=bridge,
            broker=broker,
            store=store,
            view=view,
            language=lang,
            host=host,
            port=port,
            files=Files(summary=summary, junit=junit, csv=csv, report=report),
        )
    )


@app.command(short_help="Make a page of a result, or of two.")
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json", help="What --summary wrote.")],
    compare: Annotated[
        Path | None, typer.Option(metavar="OTHER.json", help="Put another result beside it, and say what differs.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Where to. Default: RESULT.html.")] = None,
    charts: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write each chart there as SVG.")] = None,
) -> None:
    """Make one HTML file of a result, which needs nothing else and opens anywhere.

    With --compare the page has both, and every figure that differs by 5 % or more is printed.

    \b
    Examples:
      parksim report result.json
      parksim report before.json --compare after.json --output change.html
      parksim report result.json --charts charts
    """
    from simulator.run.reporting import report as make_report

    files, said = make_report(result, other_file=compare, output=output, charts=charts)
    for line in said:
        typer.echo(line)
    for file in files:
        typer.echo(f"wrote {file}", err=True)


@app.command(short_help="Carry messages from a broker into a database.")
def bridge(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario whose machines speak.")],
    broker: Annotated[str, typer.Option(metavar="ADDRESS", help="mqtt://host:1883, mqtts://, ws:// or wss://.")],
    store: Annotated[
        str, typer.Option(metavar="STORE", help="sqlite:FILE, influxdb://host:8086/BUCKET?org=ORG, none.")
    ],
    spool: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep there what the store does not take, up to 1 GiB, and go on."),
    ] = None,
    dead_letters: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Keep there the messages that the store will never take."),
    ] = None,
    until_quiet: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End when nothing has come for so long and nothing waits: 10s."),
    ] = None,
) -> None:
    """Carry what the machines of a scenario say from a broker into a database, until Ctrl-C or SIGTERM.

    A message is acknowledged when its row is committed, or safe in the spool. The broker keeps what comes while the
    bridge is away: start it again, also after it was killed, and nothing is missing. What was seen is printed as JSON
    at the end. Exit code 107: messages are missing or dead-lettered; 106: some still wait for the database.

    \b
    Examples:
      parksim bridge configs/quickstart.yaml --broker mqtt://localhost --store sqlite:park.db
      parksim bridge configs/quickstart.yaml --broker mqtt://localhost --store influxdb://localhost/park --spool spool
    """
    from simulator.run.launch import launch_bridge

    raise typer.Exit(
        launch_bridge(
            scenario,
            broker=broker,
            store=store,
            spool=spool,
            dead_letter_file=dead_letters,
            until_quiet=until_quiet,
        )
    )


@app.command(short_help="Look at this machine, a broker and a store.")
def doctor(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="[SCENARIO]", help="For how many connections to look, and which window.")
    ] = None,
    broker: Annotated[
        str | None, typer.Option(metavar="BROKER", help="auto, embedded, mosquitto, or an address: mqtt://host:1883.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="STORE", help="sqlite:FILE, influxdb://host:8086/BUCKET?org=ORG.")
    ] = None,
    spool: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where a spool is to be.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Try out what a run depends on, and say what to do: limits, queues, acknowledgements, rights.

    The broker gets some thousand messages on topics of its own (parksim_doctor/...), the store a row of parksim_doctor.
    Ends in exit code 106 if something is out of reach or too small; warnings change nothing.

    \b
    Examples:
      parksim doctor configs/quickstart.yaml --broker auto
      parksim doctor --broker mqtt://localhost --store influxdb://localhost/park
    """
    import json

    from simulator.publish.gateways import connection_count
    from simulator.run.checkup import of_broker, of_machine, of_store
    from simulator.scenario.loader import load_scenario

    connections = 1 if scenario is None else connection_count(load_scenario(scenario).scenario)
    findings = list(of_machine(connections=connections, spool=spool))
    findings += of_broker(broker) if broker else []
    findings += of_store(store) if store else []
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in findings], indent=2))
    else:
        for one in findings:
            typer.echo(f"{one.level:<8} {one.what}: {one.said}{f'; {one.advice}' if one.advice else ''}")
    raise typer.Exit(ExitCode.OUT_OF_REACH if any(one.level == "problem" for one in findings) else ExitCode.PASS)


@app.command(short_help="Compare a scenario with published figures.")
def validate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (YAML).")],
    days: Annotated[int, typer.Option(metavar="N", min=1, max=366, help="Simulated days that statistics are of.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Simulate a scenario and print its statistics, and those of its models, beside published ones with their sources.

    Ends in exit code 99 if a figure lies outside of its tolerance. Faults that the scenario schedules are left out.

    \b
    Examples:
      parksim validate configs/quickstart.yaml
      parksim validate configs/quickstart.yaml --days 28 --json | jq '.figures[] | select(.verdict == "outside")'
    """
    from simulator.scenario.loader import load_scenario
    from simulator.validate.survey import survey
    from simulator.validate.table import table_text

    found = survey(load_scenario(scenario), days=days, told=lambda what: typer.echo(what, err=True))
    if as_json:
        import json

        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(table_text(found, terminal=sys.stdout.isatty()), nl=False)
    raise typer.Exit(found.exit_code)


@app.command(short_help="Compare a database with what it should hold.")
def verify(
    subject: Annotated[
        Path,
        typer.Argument(metavar="RESULT.json|SCENARIO", help="What a run wrote with --summary, or a scenario file."),
    ],
    store: Annotated[
        str, typer.Option(metavar="STORE", help="The database: sqlite:FILE, influxdb://host:8086/BUCKET?org=ORG.")
    ],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Look from here on: 2026-01-01T06:00:00+07:00.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="INSTANT", help="Look before this instant.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Another seed than that of the scenario.")] = None,
) -> None:
    """Simulate a run again, and compare every value with what a database holds: missing, extra, different, duplicate.

    The report is JSON on standard output. Ends in exit code 107 if anything deviates. A value is a reading or the
    sequence number of a row; it is the same if it rounds to the same decimal at the resolution of its sensor.

    \b
    Examples:
      parksim verify result.json --store sqlite:park.db
      parksim verify configs/throughput.yaml --to 2026-03-10T08:00:00+07:00 --store influxdb://localhost/park
    """
    import json

    from simulator.clock import RealClock
    from simulator.verify.assignment import assignment
    from simulator.verify.comparison import DEVIATIONS
    from simulator.verify.progress import Progress
    from simulator.verify.verification import exit_code_of
    from simulator.verify.verification import verify as compare

    wanted = assignment(subject, from_=from_, to=to, seed=seed)
    progress = Progress("verify", sys.stderr, RealClock())
    try:
        report = compare(wanted, store, told=progress)
    finally:
        progress.close()
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    deviations = ", ".join(f"{report[name]:,} {name}" for name in DEVIATIONS)
    typer.echo(f"{report['expected']:,} values expected, {report['found']:,} found: {deviations}", err=True)
    raise typer.Exit(exit_code_of(report))


@app.command(short_help="Print the JSON Schema of scenario files.")
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors and other tools.

    \b
    Example:
      parksim schema > scenario.schema.json
    and in the first line of a scenario file beside it:
      # yaml-language-server: $schema=./scenario.schema.json
    """
    from simulator.scenario.json_schema import schema_text

    typer.echo(schema_text(), nl=False)


@app.command(short_help="Write a scenario to start from.")
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the park: a-z, 0-9, - and _.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite NAME.yaml.")] = False,
) -> None:
    """Write NAME.yaml, a small park in which every key is explained, and the schema that editors check it with.

    \b
    Example:
      parksim init my-park && parksim check my-park.yaml
    """
    from simulator.scenario.starter import write_starter

    for written in write_starter(name, Path(), force=force):
        typer.echo(f"wrote {written}", err=True)
    typer.echo(f"next: parksim check {name}.yaml", err=True)


app.add_typer(bench)
app.add_typer(dead_letters_commands)
