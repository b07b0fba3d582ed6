"""How fast live readings go into a broker, beside a bare socket that sends the same packets out of memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brokers import Broker
from brokers.bare import bare_line, numbered_packets
from simulator.bench.against import Rival
from simulator.bench.live import Live
from simulator.bench.recording import Stream
from simulator.bench.rounds import Rate, in_turn, report, timed
from simulator.bench.under_test import endpoint_of, protocol_of, settings_of
from simulator.scenario.loader import Loaded

__all__ = ["publish"]


def publish(
    loaded: Loaded,
    broker: Broker,
    *,
    qos: int,
    window: int,
    messages: int,
    rounds: int,
    paced_s: float,
    rival: Rival | None,
    told: Callable[[str], None],
) -> dict[str, Any]:
    """Publish ``messages`` in each round: raw, by the product, and by a rival if there is one; no one subscribes.

    The product simulates, encodes, books and sends while it is measured; the raw side sends packets of the same park
    that were made before. Both end when the broker has read the last one (QoS 0), or acknowledged it. After the rounds
    the product publishes for ``paced_s`` at half of the raw rate, and tells how late messages were.

    Returns what rounds.report() does, in messages a second, and ``at_half: {asked_per_s, sent_per_s, lateness_ms,
    waiting_ms}``. Raises BrokerError, ParksimError.
    """
    endpoint = endpoint_of(broker)
    version = protocol_of(endpoint)
    recording = Stream(loaded, qos=qos, version=version).record(messages)
    data, ends = numbered_packets(recording.packets()), recording.block.start[1:].tolist()
    with Live(broker, loaded, qos=qos, version=version, window=window) as live:
        told(f"the park is warm; {messages:,} messages a round")

        def raw() -> Rate:
            with bare_line(endpoint, "parksim-bench-raw") as line:
                if qos:
                    return Rate.of(messages, timed(lambda: line.publish(data, ends, window=window)))
                return Rate.of(messages, timed(lambda: line.pour(data)))

        contenders: dict[str, Callable[[], Rate]] = {"raw": raw, "product": lambda: live.measure(messages)}
        with tempfile.TemporaryDirectory(prefix="parksim-bench-") as folder:
            if rival is not None:
                text = Path(folder) / "recording.txt"
                recording.write_text(text)
                environment = {
                    "BENCH": "publish",
                    "HOST": endpoint.host,
                    "PORT": endpoint.port,
                    "QOS": qos,
                    "WINDOW": window,
                    "RECORDING": text,
                }
                contenders["against"] = lambda: rival.measure(messages, environment)
            found = in_turn(rounds, contenders, told)
        settings = settings_of(loaded, recording, broker) | {"window": window, "messages": messages}
        result = report("publish", "messages per second", found, settings)
        if paced_s:
            told(f"{paced_s:g} s at half of what the broker took")
            result["at_half"] = live.late(result["raw"] / 2, paced_s)
    return result
