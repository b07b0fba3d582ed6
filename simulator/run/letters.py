"""The commands that deal with messages which a store would not take: `parksim dead-letters list` and `replay`."""

# ruff: noqa: PLC0415, D301 - commands import what they need when they run; click marks paragraphs with a backspace

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.errors import ExitCode

if TYPE_CHECKING:
    pass

__all__ = ["dead_letters"]

PAYLOAD_SHOWN = 80
ACKNOWLEDGED_S = 30.0

dead_letters = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at refused messages, and send them again.",
)


@dead_letters.command("list", short_help="Show what is in a file of dead letters.")
def list_letters(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="What --dead-letters wrote.")],
    most: Annotated[int, typer.Option(metavar="N", min=0, help="How many letters to show of each reason.")] = 3,
) -> None:
    """Show the letters of a file by reason. The file itself is JSON, a line for each letter, for other tools.

    \b
    Example:
      parksim dead-letters list letters.jsonl
    """
    from simulator.ingest.dead_letters import letters_in

    letters = letters_in(file)
    counts = Counter(letter.reason for letter in letters)
    for reason, number in counts.most_common():
        typer.echo(f"{number:,} {reason}")
        for letter in [letter for letter in letters if letter.reason == reason][:most]:
            typer.echo(f"  {shown(letter.topic)}: {shown(letter.payload)}")
            typer.echo(f"    {shown(letter.detail)}")
    if not letters:
        typer.echo("no dead letters")


@dead_letters.command(short_help="Send dead letters to a broker again.")
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="What --dead-letters wrote.")],
    broker: Annotated[str, typer.Option(metavar="ADDRESS", help="mqtt://host:1883, mqtts://, ws:// or wss://.")],
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those of this reason.")] = None,
) -> None:
    """Publish dead letters on their topics again, with QoS 1, once what was wrong is mended.

    Those that the broker acknowledged are taken out of the file; the others stay, and the exit code is 106.

    \b
    Example:
      parksim dead-letters replay letters.jsonl --broker mqtt://localhost --reason "store refuses the row"
    """
    from simulator.ingest.dead_letters import alone_with, letters_in
    from simulator.run.replay import rewrite, send

    with alone_with(file):
        letters = letters_in(file)
        wanted = [place for place, letter in enumerate(letters) if reason in {None, letter.reason}]
        if not wanted:
            reasons = ", ".join(sorted({letter.reason for letter in letters}))
            typer.echo(
                f"no dead letter is sent{f': there are {reasons}' if letters else ', for there are none'}", err=True
            )
            return
        done, refused = send([letters[place] for place in wanted], broker, timeout_s=ACKNOWLEDGED_S)
        sent = {wanted[place] for place in done}
        rewrite(file, [letter for place, letter in enumerate(letters) if place not in sent])
    for why, number in sorted(Counter(refused.values()).items()):
        typer.echo(f"{number:,} refused by the broker: {why}", err=True)
    typer.echo(
        f"{len(sent):,} of {len(wanted):,} dead letters were sent again, {len(letters) - len(sent):,} stay", err=True
    )
    if len(sent) < len(wanted):
        raise typer.Exit(ExitCode.OUT_OF_REACH)


def shown(text: str | bytes) -> str:
    """Return the beginning of a text that strangers may have written, with nothing in it that moves a cursor."""
    quoted = ascii(text).removeprefix("b")[1:-1]
    return quoted if len(quoted) <= PAYLOAD_SHOWN else f"{quoted[:PAYLOAD_SHOWN]}..."
