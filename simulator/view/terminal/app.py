"""The Textual app: three lists under the pipeline strip, side by side where there is room, else one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from simulator.view.languages import LANGUAGES, words
from simulator.view.terminal import park, strip
from simulator.view.terminal.picture import Picture, Update

__all__ = ["LiveApp"]

WIDE, TALL = 120, 30
"""From so many columns and rows on all lists are shown at once."""
STALE_S = 5.0
PANES = ("factories", "alarms", "log")
KEYS = {"q": "key_stop", "l": "key_log", "f": "key_factories", "a": "key_alarms", "g": "key_language", "?": "key_help"}


class Guide(ModalScreen[None]):
    """What the keys do; any key closes it."""

    def __init__(self, title: str, text: Text) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = self._title
            yield Static(self._text)

    def on_key(self, event: events.Key) -> None:
        if event.key not in {"up", "down", "pageup", "pagedown"}:
            event.stop()
            self.dismiss()


class LiveApp(App[None], inherit_bindings=False):
    """Shows a run. Ends with a key once the run is over, and with ``leave`` at any time.

    ``on_stop`` asks a run of ours to stop; None: it is not ours, and q leaves. ``begin`` is called when the screen
    stands, and hands its news to ``take``.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; overflow: hidden; background: ansi_default; color: ansi_default; }
    Screen > Static { height: 1; width: 100%; }
    #strip { height: 3; }
    #sparks { height: 2; }
    #body { height: 1fr; layout: vertical; }
    VerticalScroll {
        border-top: solid ansi_default; border-title-style: bold; height: 1fr;
        scrollbar-size-vertical: 1; scrollbar-color: ansi_default; scrollbar-background: ansi_default;
        scrollbar-color-hover: ansi_default; scrollbar-background-hover: ansi_default;
        scrollbar-color-active: ansi_default; scrollbar-background-active: ansi_default;
    }
    #body VerticalScroll { display: none; }
    #body VerticalScroll.shown { display: block; }
    #body.alarming #factories, #body.alarming #alarms { border-title-color: ansi_red; }
    #body.wide { layout: grid; grid-size: 2 2; grid-columns: 3fr 2fr; }
    #body.wide VerticalScroll { display: block; }
    #body.wide #factories { row-span: 2; }
    #body.wide VerticalScroll:focus { border-top: heavy ansi_default; }
    Guide { align: center middle; background: ansi_default; }
    Guide VerticalScroll {
        border: round ansi_default; padding: 0 1;
        width: 78; max-width: 100%; height: auto; max-height: 100%;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "stop", show=False, priority=True),
        Binding("f", "factories", show=False),
        Binding("a", "pane('alarms')", show=False),
        Binding("l", "pane('log')", show=False),
        Binding("g", "language", show=False),
        Binding("question_mark", "guide", show=False),
        Binding("tab", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        language: str,
        *,
        on_stop: Callable[[], object] | None,
        begin: Callable[[LiveApp], object] = lambda _: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        # the terminal's own colours, which its owner can read, light or dark; said here already for NO_COLOR
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.picture = Picture()
        self.language = language
        self.words = words("terminal", language)
        self.is_gone = False
        """Whether nothing will come any more, though the run was not over."""
        self._on_stop, self._begin, self._now_s = on_stop, begin, now_s
        self._heard_s = now_s()
        self._pane = PANES[0]
        self._with_lines = True
        self._has_asked = False
        self._drawn = 0

    def compose(self) -> ComposeResult:
        for name in ("heading", "strip", "measures", "sparks", "standing"):
            yield Static(id=name)
        with Container(id="body"):
            for name in PANES:
                with VerticalScroll(id=name):
                    yield Static(id=f"{name}-text")
        yield Static(id="keys")

    def on_mount(self) -> None:
        self.set_interval(1, self._tick)
        self._show_pane()
        self._begin(self)

    def on_resize(self, event: events.Resize) -> None:
        self.screen_stack[0].query_one("#body").set_class(
            event.size.width >= WIDE and event.size.height >= TALL, "wide"
        )
        self.call_after_refresh(self.draw)

    def take(self, update: Update) -> None:
        """Show what is new; to be called in the thread of the app."""
        self.picture.take(update)
        if update.document is not None:
            self._heard_s = self._now_s()
        self.draw()

    def gone(self) -> None:
        """Say that nothing will come any more."""
        self.is_gone = not self.picture.is_over
        self.draw()

    def leave(self) -> None:
        """End the app, whatever is on the screen."""
        self.exit()

    def draw(self) -> None:
        """Draw everything anew, each text as wide as its place."""
        if not self.is_running or not self.screen_stack:
            return
        picture, said, width = self.picture, self.words, self.size.width
        self._put("heading", strip.heading(picture, said, width))
        self._put("strip", strip.strip(picture, said, width))
        self._put("measures", strip.measures(picture, said, width))
        self._put("sparks", strip.sparks(picture, said, width))
        self._put("standing", self._standing(width))
        self._put("keys", self._keys())
        room = {name: self.pane(name).scrollable_content_region.width or width for name in PANES}
        self._put("factories-text", park.factories(picture, said, width=room["factories"], with_lines=self._with_lines))
        self._put("alarms-text", park.alarms(picture, said, width=room["alarms"]))
        self.pane("factories").border_title = park.factories_title(picture, said)
        self.pane("alarms").border_title = title = park.alarms_title(picture, said)
        self.screen_stack[0].query_one("#body").set_class(title.startswith("!"), "alarming")
        self.pane("log").border_title = said["log"]
        self._draw_log()

    def _tick(self) -> None:
        # data that is old, and what nobody sends any more, brings no news that would say so
        self._put("standing", self._standing(self.size.width))

    def pane(self, name: str) -> VerticalScroll:
        """Return one of the lists."""
        return self.screen_stack[0].query_one(f"#{name}", VerticalScroll)

    def _put(self, name: str, text: Text) -> None:
        self.screen_stack[0].query_one(f"#{name}", Static).update(text)

    def _draw_log(self) -> None:
        """Draw the log when there is more of it, and stay at its end unless somebody reads what is above."""
        if self._drawn == self.picture.lines:
            return
        self._drawn = self.picture.lines
        pane = self.pane("log")
        is_at_end = pane.scroll_offset.y >= pane.max_scroll_y
        self._put("log-text", park.log(self.picture, self.words))
        if is_at_end:
            pane.scroll_end(animate=False)

    def _standing(self, width: int) -> Text:
        if self.is_gone:
            return Text(f" ! {self.words['gone']}  [{self.words['any_key']}]", style=strip.ALARM)
        if self._has_asked and not self.picture.is_over and not self.picture.run.get("waiting"):
            return Text(f" {self.words['stopping']}")
        age_s = self._now_s() - self._heard_s
        return strip.standing(
            self.picture, self.words, age_s=age_s if self.picture.document and age_s > STALE_S else None, width=width
        )

    def _keys(self) -> Text:
        text = Text(" ", no_wrap=True)
        for key, word in KEYS.items():
            label = "key_leave" if key == "q" and self._on_stop is None else word
            text.append(key, style="bold").append(f" {self.words[label]}   ", style=strip.QUIET)
        return text

    def _show_pane(self) -> None:
        for name in PANES:
            self.pane(name).set_class(name == self._pane, "shown")
        self.pane(self._pane).focus()
        self.call_after_refresh(self.draw)

    async def on_event(self, event: events.Event) -> None:
        """Take any key as the last one when the run is over."""
        if isinstance(event, events.Key) and (self.picture.is_over or self.is_gone):
            self.exit()
            return
        await super().on_event(event)

    def action_stop(self) -> None:
        if len(self.screen_stack) > 1:
            # q closes the guide as any key does
            self.pop_screen()
        elif self._on_stop is None:
            self.exit()
        else:
            self._has_asked = True
            self._on_stop()
            self.draw()

    def action_factories(self) -> None:
        """Go to the factories; there already, show or hide their lines."""
        if self.pane("factories").has_focus:
            self._with_lines = not self._with_lines
        self.action_pane("factories")

    def action_pane(self, name: str) -> None:
        self._pane = name
        self._show_pane()

    def action_language(self) -> None:
        place = (LANGUAGES.index(self.language) + 1) % len(LANGUAGES)
        self.language = LANGUAGES[place]
        self.words = words("terminal", self.language)
        self._drawn = -1
        self.draw()

    def action_guide(self) -> None:
        self.push_screen(Guide(self.words["keys"], park.guide(self.words, is_own=self._on_stop is not None)))
