"""What a report says and asks for, as a reader and a browser find it; and the charts of a made-up result."""

from __future__ import annotations

from html.parser import HTMLParser

from load_results import block, load_test, loaded, probes

from simulator.load.report.chart import Chart
from simulator.load.report.charts import charts_of
from simulator.results.result import Result

__all__ = ["ALL", "EVIL", "Page", "chart", "slower"]

EVIL = "</title><script>alert('&\"')</script>\x00\x1b[2J"
ALL = ["rates", "latencies", "in-flight", "distribution", "search"]


class Page(HTMLParser):
    """What a page asks for, which tags it has, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.labels: list[str | None] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open += [] if tag in {"meta", "br"} else [tag]
        found = dict(attrs)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
        self.labels += [found.get("aria-label")] if tag == "svg" and found.get("role") == "img" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def chart(name: str, of: Result | None = None) -> Chart:
    return next(one for one in charts_of(of or loaded()) if one.name == name)


def slower() -> Result:
    """The same test, with a slower store, more losses, a lower maximum and another version."""
    search = {"max_per_s": 24_960, "first_failed_per_s": 31_000, "knee_per_s": None, "probes": probes(9)}
    latency = loaded().latency_ms.model_dump() | {"end_to_end": block(84)}
    return loaded(
        load_test(search=search),
        latency_ms=latency,
        versions=loaded().versions | {"numpy": "1.0"},
        scenario={"name": "throughput", "sha256": "1" * 64, "text": "parksim: 1\nname: slower\n"},
        thresholds=[{"expression": "end_to_end p99.9 < 1 s", "value": 336.0, "pass": False}],
    )
