"""A YAML document as a tree in which every value knows its line and column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Document", "Mark", "Node", "Problem", "path_text", "shown"]

Path_ = Sequence[str | int]


class Mark(NamedTuple):
    """A place in the file; the first character is line 1, column 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One mistake: where it is, whose it is, and what is wrong."""

    mark: Mark
    path: str
    sentence: str

    def at(self, name: str) -> str:
        """Return the whole sentence, ``file:line:column path: what``."""
        place = f"{name}:{self.mark.line}:{self.mark.column}"
        return f"{place} {self.path}: {self.sentence}" if self.path else f"{place}: {self.sentence}"


@dataclass(eq=False, slots=True)
class Node:
    """A value and where it starts."""

    mark: Mark
    value: str | float | bool | list[Node] | dict[str, Node] | None
    """int is kept as int; it is a float to the type system."""
    keys: dict[str, Mark] = field(default_factory=dict)
    size: int = 1
    """Values in it, itself included; 0 while it is being read."""
    depth: int = 0

    def plain(self) -> Any:
        """Return the value as Python data."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, step: str | int) -> Node | None:
        """Return the value under a key or at an index, or None."""
        if isinstance(self.value, dict) and isinstance(step, str):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None


@dataclass(frozen=True, eq=False)
class Document:
    """A file that has been read: its text, its tree and what is wrong with its form."""

    name: str
    """The file as the user named it, safe to print."""
    text: str
    sha256: str
    root: Node
    problems: tuple[Problem, ...]
    """Mistakes that leave a tree all the same, such as a key that is written twice."""

    def node(self, path: Path_) -> Node | None:
        """Return the value at a path, or None if the file does not give it."""
        node: Node | None = self.root
        for step in path:
            if node is None:
                return None
            node = node.child(step)
        return node

    def mark(self, path: Path_) -> Mark:
        """Return where the value at a path starts, or the nearest value around it that the file has."""
        node = self.root
        for step in path:
            child = node.child(step)
            if child is None:
                break
            node = child
        return node.mark

    def key_mark(self, path: Path_) -> Mark:
        """Return where the key at the end of a path is written, or else what ``mark`` returns."""
        parent = self.node(path[:-1])
        return parent.keys.get(str(path[-1]), self.mark(path)) if parent is not None and path else self.mark(path)

    def problem(self, path: Path_, sentence: str) -> Problem:
        """Return a problem with the value at a path."""
        return Problem(self.mark(path), path_text(path), sentence)


def path_text(path: Path_) -> str:
    """Write a path the way people do: ``sites[0].factories[0].crew``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if re.fullmatch(r"[\w-]{1,80}", step, re.ASCII) else shown(step))
    return text


def shown(value: object) -> str:
    """Write a value of the file for a message: short, on one line, nothing that a terminal would obey."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str() if len(value) > 60:
            return repr(value[:57] + "...")
    return repr(value)
