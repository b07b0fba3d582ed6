"""The figures of a run for Prometheus; docs/watching.md lists the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

__all__ = ["Figures", "exposition"]

HOPS = ("scheduled", "published", "acknowledged", "received", "written")
QUANTILES = {"p50": "0.5", "p90": "0.9", "p99": "0.99", "p999": "0.999"}
MS_PER_S = 1000
Document = dict[str, Any]


class Figures(Collector):
    """Reads the latest document whenever Prometheus asks."""

    def __init__(self, latest: Callable[[], Document]) -> None:
        self._latest = latest

    def collect(self) -> Iterator[Metric]:
        document = self._latest()
        if document:
            yield from of_run(document)
            yield from of_messages(document)
            yield latencies(document)
            yield from of_park(document)
            yield from of_sites(document)


def exposition(latest: Callable[[], Document], accepted: str) -> tuple[bytes, str]:
    """Return the figures as text and its content type, in the format that was asked for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(latest))
    encoder, content_type = choose_encoder(accepted)
    return encoder(registry), content_type


def of_run(document: Document) -> Iterator[Metric]:
    run = document["run"]
    told = {name: str(run[name]) for name in ("name", "title", "run_id", "seed", "store", "speed")}
    yield InfoMetricFamily("parksim_run", "What is run.", told)
    yield gauge("parksim_run_over", "1 when the run has ended.", run["over"])
    yield gauge("parksim_run_trouble", "1 while something is wrong with broker or store.", bool(run["trouble"]))
    yield gauge("parksim_run_seconds", "Wall time since the first message was due.", max(0, run["wall_s"]))
    yield gauge("parksim_run_simulated_seconds", "Simulated time since the start.", run["simulated_s"])


def of_messages(document: Document) -> Iterator[Metric]:
    messages = document["messages"]
    by_hop = {hop: messages[hop] for hop in HOPS}
    yield counter("parksim_messages", "Messages that have come so far, each counted once.", "hop", by_hop)
    yield counter("parksim_dropped_messages", "Messages given up on the way.", "reason", messages["dropped"])
    refused = messages["dead_letter_reasons"]
    yield counter("parksim_dead_lettered_messages", "Messages that the store will never take.", "reason", refused)
    yield CounterMetricFamily("parksim_duplicate_messages", "Came again at the bridge.", messages["duplicates"])
    yield CounterMetricFamily("parksim_reordered_messages", "Came after a later one.", messages["reordered"])
    yield gauge("parksim_in_flight_messages", "On their way at this moment.", messages["in_flight"])
    yield gauge("parksim_spooled_messages", "On the disk of the bridge.", messages["spooled"])
    yield gauge("parksim_unaccounted_messages", "Nobody knows where they are; 0 is right.", messages["unaccounted"])
    yield counter("parksim_readings", "Single values.", "hop", document["readings"])


def latencies(document: Document) -> Metric:
    """Return a summary of all messages since the start; none at full speed, where nothing is due."""
    found = Metric("parksim_latency_seconds", "From when a message was due to the hop, since the start.", "summary")
    for hop, figures in document["latency_ms"].items():
        for name, quantile in QUANTILES.items():
            if figures[name] is not None:
                labels = {"hop": hop, "quantile": quantile}
                found.add_sample("parksim_latency_seconds", labels, figures[name] / MS_PER_S)
        found.add_sample("parksim_latency_seconds_count", {"hop": hop}, figures["count"])
    return found


def of_park(document: Document) -> Iterator[Metric]:
    park = document["park"]
    for name in ("oee", "availability", "effectiveness", "quality"):
        if park.get(name) is not None:
            yield gauge(
                f"parksim_park_{name}", f"{name.upper() if name == 'oee' else name.title()}, 0 to 1.", park[name]
            )
    by_factory = {one["name"]: one["oee"] for one in document["factories"] if one["oee"] is not None}
    yield labelled(
        "parksim_factory_oee", "OEE of a factory, 0 to 1.", ("factory",), {(k,): v for k, v in by_factory.items()}
    )
    states: dict[tuple[str, ...], float] = {}
    for one in document["factories"]:
        name, running, alarms = one["name"], one["running"], one["alarms"]
        states |= {
            (name, "running"): running,
            (name, "alarm"): alarms,
            (name, "other"): one["machines"] - running - alarms,
        }
    yield labelled("parksim_machines", "Machines by state.", ("factory", "state"), states)


def of_sites(document: Document) -> Iterator[Metric]:
    sites = document["parts"].get("sites", {})
    energy = {site: figures["energy_kwh"] for site, figures in sites.items()}
    yield counter("parksim_site_energy_kilowatt_hours", "Taken by machines since the start.", "site", energy)
    good = {site: figures["pieces_good"] for site, figures in sites.items()}
    yield counter("parksim_site_good_pieces", "Good pieces that left their factory.", "site", good)
    bad = {site: figures["pieces_bad"] for site, figures in sites.items()}
    yield counter("parksim_site_bad_pieces", "Pieces spoilt by any machine.", "site", bad)


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, float(value))


def counter(name: str, text: str, label: str, values: dict[str, float]) -> Metric:
    found = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        found.add_metric([key], value)
    return found


def labelled(name: str, text: str, labels: tuple[str, ...], values: dict[tuple[str, ...], float]) -> Metric:
    found = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        found.add_metric(key, value)
    return found
