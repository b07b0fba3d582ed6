"""A run as Prometheus sees it: from the same document as the page, under names that docs/watching.md lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["CONTENT_TYPE", "metrics_text"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HOPS = ("scheduled", "published", "acknowledged", "received", "written")
QUANTILES = {"p50": "0.5", "p90": "0.9", "p99": "0.99", "p999": "0.999", "p9999": "0.9999", "max": "1"}


class Exposition(Collector):
    """Makes metrics of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def collect(self) -> Iterator[Metric]:
        document = self._document
        if not document:
            return
        messages, run = document["messages"], document["run"]
        yield counter("parksim_messages", "Messages that passed a hop, each counted once.", "hop", messages, HOPS)
        yield by_reason("parksim_messages_dropped", "Messages given up on the way.", messages["dropped"])
        yield by_reason(
            "parksim_messages_dead_lettered", "Messages that no store will take.", messages["dead_letter_reasons"]
        )
        again = ("duplicates", "reordered", "overwritten")
        yield counter("parksim_messages_irregular", "Messages that came otherwise than sent.", "kind", messages, again)
        for name, about in (
            ("in_flight", "Messages on the way now."),
            ("spooled", "Messages on the disk of the bridge now."),
            ("unaccounted", "Messages nobody knows of; 0 on a healthy run."),
        ):
            yield gauge(f"parksim_messages_{name}", about, messages[name])
        readings = document["readings"]
        yield counter("parksim_readings", "Single values.", "hop", readings, ("scheduled", "written"))
        latency = GaugeMetricFamily(
            "parksim_latency_seconds",
            "After the moment a message was due, since the start.",
            labels=("hop", "quantile"),
        )
        for hop, found in document["latency_ms"].items():
            for name, quantile in QUANTILES.items():
                if found.get(name) is not None:
                    latency.add_metric((hop, quantile), found[name] / 1_000)
        yield latency
        yield from self._park(document)
        yield gauge("parksim_simulated_seconds", "Simulated time since the start.", run["simulated_s"])
        yield gauge("parksim_trouble", "1 while a hop is in trouble.", float(run["trouble"] is not None))
        yield gauge("parksim_over", "1 once the run is over.", float(run["over"]))

    def _park(self, document: dict[str, Any]) -> Iterator[Metric]:
        park = document["park"]
        if park.get("oee") is not None:
            yield gauge("parksim_park_oee_ratio", "Overall equipment effectiveness of the park.", park["oee"])
        for name, about in (("energy_kwh", "Energy since the start."), ("alarms", "Machines that are broken down.")):
            if park.get(name) is not None:
                yield gauge(f"parksim_park_{name}", about, park[name])
        machines = GaugeMetricFamily(
            "parksim_machines", "Machines of a factory by what they do.", labels=("factory", "state")
        )
        for one in document["factories"]:
            rest = one["machines"] - one["running"] - one["alarms"]
            for state, number in (("running", one["running"]), ("alarm", one["alarms"]), ("other", rest)):
                machines.add_metric((one["name"], state), number)
        yield machines


def counter(name: str, about: str, label: str, numbers: dict[str, Any], keys: tuple[str, ...]) -> Metric:
    family = CounterMetricFamily(name, about, labels=(label,))
    for key in keys:
        family.add_metric((key,), numbers[key])
    return family


def by_reason(name: str, about: str, reasons: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, about, labels=("reason",))
    for reason, number in reasons.items():
        family.add_metric((reason,), number)
    return family


def gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def metrics_text(document: dict[str, Any]) -> bytes:
    """Return the metrics of a document in Prometheus' text format; of an empty one nothing."""
    registry = CollectorRegistry()
    registry.register(Exposition(document))
    return generate_latest(registry)
