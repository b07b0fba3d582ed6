"""Reads YAML into a Document, within limits.

YAML is read as its version 1.2 says: ``on``, ``off`` and ``no`` are words, ``12:30`` is a word, dates stay words until
a model asks for one. Tags, directives, merge keys and a second document are refused: a scenario has no use for them.
The tree is built from the parser's events with a stack of its own, so that no depth of input can exhaust Python's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.scanner import Scanner

from simulator.errors import ScenarioError
from simulator.scenario.document import Document, Mark, Node, Problem, path_text, shown
from simulator.scenario.source import read_source

__all__ = ["MAX_DEPTH", "MAX_NODES", "read_document"]

MAX_DEPTH = 40
MAX_NODES = 100_000
"""Values in the document, those behind an alias counted each time it is used."""
MAX_DIGITS = 30

NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
INT = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


def read_document(path: Path) -> Document:
    """Read a YAML file of at most MAX_BYTES.

    Raises ScenarioError, with the line and column where there is one.
    """
    source = read_source(path)
    name = source.name
    builder = Builder()
    try:
        for event in events(source.text):
            builder.take(event)
    except RefusedError as refusal:
        raise ScenarioError(refusal.problem.at(name)) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ScenarioError(Problem(place(mark), "", plain_syntax(error)).at(name)) from None
    if builder.root is None or builder.root.value is None:
        message = f"{name}:1:1: the file is empty; `parksim init NAME` writes a scenario to start from"
        raise ScenarioError(message)
    return Document(name, source.text, source.sha256, builder.root, tuple(builder.problems))


def place(mark: StreamMark | None) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)


class RefusedError(Exception):
    """The document breaks a limit or uses what is not allowed; reading stops here."""

    def __init__(self, mark: Mark, sentence: str) -> None:
        super().__init__(sentence)
        self.problem = Problem(mark, "", sentence)


class StrictScanner(Scanner):
    """Refuses tags, directives and deep brackets where they start.

    The scanner reads up to 1,024 characters ahead of its events, in quadratic time for open brackets: waiting for the
    events would cost a fifth of a second for a file of nothing but brackets.
    """

    def here(self) -> Mark:
        return Mark(self.reader.line + 1, self.reader.column + 1)

    def fetch_double(self) -> None:
        try:
            super().fetch_double()
        except (ValueError, OverflowError):
            # the one place where ruamel.yaml lets Python's own errors through
            raise RefusedError(self.here(), "this \\U escape names no character") from None

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - the base's name
        if self.flow_level >= MAX_DEPTH:
            refuse_depth(self.here())
        super().fetch_flow_collection_start(TokenClass, to_push)

    def fetch_tag(self) -> None:
        raise RefusedError(
            self.here(), "tags (!) are not allowed; write the value alone, in quotes if it starts with !"
        )

    def fetch_directive(self) -> None:
        raise RefusedError(self.here(), "directives (%) are not allowed; remove the line, parksim reads YAML 1.2")


def refuse_depth(mark: Mark) -> NoReturn:
    raise RefusedError(mark, f"nested deeper than {MAX_DEPTH} levels; no scenario needs that")


def events(text: str) -> Iterator[Any]:
    """Yield the parser's events."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = StrictScanner
    yield from yaml.parse(text)


SYNTAX = (
    ("found character '\\t'", "a tab; YAML indents with spaces"),
    ("mapping values are not allowed here", "a ': ' where none fits; put the value in quotes, or check the indent"),
    ("could not find expected ':'", "a key without ': ' and a value; check the spelling and the indent above"),
    ("expected <block end>", "does not line up with the lines above; check its indent"),
    ("found unexpected end of stream", "the text ends inside quotes; close them"),
    ("found undefined alias", "no anchor of this name stands above it"),
)


def plain_syntax(error: MarkedYAMLError) -> str:
    """Say in plain words what the parser complains about."""
    said = str(error.problem or error.context or "no YAML")
    for start, sentence in SYNTAX:
        if said.startswith(start):
            return sentence
    what = " ".join(said.split())
    return f"no YAML: {what if what.isprintable() else ascii(what)}"


@dataclass(eq=False, slots=True)
class Frame:
    """A list or mapping that is being read."""

    node: Node
    step: str | int | None
    """Its own key or index in what is around it."""
    kept: bool
    """False for the value of a key that was there before: it is read, and left out."""
    key: str | None = None
    repeated: bool = False


class Builder:
    """Makes the tree from the parser's events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._stack: list[Frame] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        match event:
            case DocumentStartEvent() if self.root is not None:
                raise RefusedError(place(event.start_mark), "a second document starts here; a file holds one scenario")
            case CollectionEndEvent():
                self._close()
            case AliasEvent():
                self._alias(event)
            case ScalarEvent():
                self._scalar(event)
            case CollectionStartEvent():
                self._open(event)

    def _scalar(self, event: ScalarEvent) -> None:
        mark = place(event.start_mark)
        frame = self._stack[-1] if self._stack else None
        event.value = whole(event.value, mark)
        if frame is not None and isinstance(frame.node.value, dict) and frame.key is None:
            self._key(frame, event.value, mark)
            return
        if not event.value and event.implicit[0] and frame is not None and frame.key is not None:
            # the parser places a value that is not there at whatever comes next, lines below
            mark = frame.node.keys[frame.key]
        node = Node(mark, scalar(event, mark))
        self._remember(event, node)
        self._add(node)

    def _key(self, frame: Frame, key: str, mark: Mark) -> None:
        if key == "<<":
            raise RefusedError(mark, "merge keys (<<) are not part of YAML 1.2; write the keys out")
        frame.key = key
        frame.repeated = key in frame.node.keys
        if frame.repeated:
            first = frame.node.keys[key]
            sentence = f"written twice, first on line {first.line}; remove one"
            self.problems.append(Problem(mark, path_text([*self._path(), key]), sentence))
        else:
            frame.node.keys[key] = mark

    def _path(self) -> list[str | int]:
        return [frame.step for frame in self._stack if frame.step is not None]

    def _open(self, event: CollectionStartEvent) -> None:
        mark = place(event.start_mark)
        if len(self._stack) >= MAX_DEPTH:
            refuse_depth(mark)
        node = Node(mark, {} if isinstance(event, MappingStartEvent) else [], size=0)
        step, kept = self._add(node)
        self._remember(event, node)
        self._stack.append(Frame(node, step, kept))

    def _close(self) -> None:
        node = self._stack.pop().node
        children: Sequence[Node] = ()
        if isinstance(node.value, dict):
            children = list(node.value.values())
        elif isinstance(node.value, list):
            children = node.value
        node.size = 1 + sum(child.size for child in children)
        node.depth = 1 + max((child.depth for child in children), default=0)

    def _alias(self, event: AliasEvent) -> None:
        mark = place(event.start_mark)
        node = self._anchors.get(event.anchor)
        if node is None:
            raise RefusedError(mark, f"*{event.anchor}: no anchor &{event.anchor} stands above it")
        if node.size == 0:
            raise RefusedError(mark, f"*{event.anchor} stands inside &{event.anchor}: the value would contain itself")
        if len(self._stack) + node.depth > MAX_DEPTH:
            refuse_depth(mark)
        self._nodes += node.size - 1
        self._add(node, mark)

    def _remember(self, event: ScalarEvent | CollectionStartEvent, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _add(self, node: Node, mark: Mark | None = None) -> tuple[str | int | None, bool]:
        """Put a value where it belongs. Return its key or index, and whether it was kept."""
        mark = mark or node.mark
        self._nodes += 1
        if self._nodes > MAX_NODES:
            sentence = f"more than {MAX_NODES:,} values, aliases counted each time; a scenario has no use for so many"
            raise RefusedError(mark, sentence)
        if not self._stack:
            self.root = node
            return None, True
        frame = self._stack[-1]
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
            return len(frame.node.value) - 1, True
        assert isinstance(frame.node.value, dict)
        if frame.key is None:
            raise RefusedError(mark, "a key must be a word, not a list, a mapping or an alias")
        key, frame.key = frame.key, None
        if frame.repeated:
            return key, False
        frame.node.value[key] = node
        return key, True


def whole(text: str, mark: Mark) -> str:
    r"""Join the halves of characters that JSON escapes in two, such as ``"\ud83c\udfed"``."""
    try:
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise RefusedError(mark, "half of a character (\\ud800 to \\udfff) stands without its other half") from None


def scalar(event: ScalarEvent, mark: Mark) -> str | float | bool | None:
    """Return the value of a scalar by the core schema of YAML 1.2; what is quoted is text."""
    text: str = event.value
    if not event.implicit[0] or NULL.match(text):
        return text if not event.implicit[0] else None
    if BOOL.match(text):
        return text.lower() == "true"
    if NOT_FINITE.match(text):
        raise RefusedError(mark, f"{text} is no finite number")
    if INT.match(text):
        if len(text) > MAX_DIGITS:
            raise RefusedError(mark, f"a number of {len(text):,} digits; parksim takes at most {MAX_DIGITS}")
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if FLOAT.match(text):
        number = float(text)
        if abs(number) == float("inf"):
            raise RefusedError(mark, f"{shown(text)} is too large a number")
        return number
    return text
