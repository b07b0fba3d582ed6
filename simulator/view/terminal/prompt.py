"""A line in which somebody writes what is to be done to a run: a fault, or another speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

WRITTEN = frozenset({"do", "kind", "target", "for", "speed", "rate"})
__all__ = ["Prompt", "order_of", "told_order"]


def order_of(text: str) -> dict[str, Any]:
    """Read ``speed 5``, ``rate 500/s`` or ``KIND TARGET TIME name=number ...``; the run says what is wrong with it.

    Raises ValueError for too few words.
    """
    first, *rest = text.split() or [""]
    if first == "speed" and len(rest) == 1:
        return {"do": "speed", "speed": number(rest[0])}
    if first == "rate" and len(rest) == 1:
        return {"do": "rate", "rate": rest[0]}
    if len(rest) < 2:
        raise ValueError(text)
    target, lasts, *more = rest
    named = dict(one.partition("=")[::2] for one in more)
    return {"do": "fault", "kind": first, "target": target, "for": lasts} | {
        name: number(value) for name, value in named.items()
    }


def told_order(order: Mapping[str, Any]) -> str:
    """Return an order as it is written."""
    told = {name: value for name, value in order.items() if value != "fault"}
    return " ".join(str(value) if name in WRITTEN else f"{name}={value}" for name, value in told.items())


def number(text: str) -> float | str:
    """Return a number where it is one."""
    try:
        return float(text)
    except ValueError:
        return text


class Prompt(ModalScreen[str | None]):
    """Asks for one line; Escape takes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, help_text: str, text: str) -> None:
        super().__init__()
        self._title, self._help, self._text = title, help_text, text

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            yield Input(self._text, compact=True, select_on_focus=False)
            yield Static(self._help)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)
