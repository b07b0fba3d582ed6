"""paho-mqtt in the table of ``parksim bench publish``: an example of what --against runs.

    parksim bench publish configs/throughput.yaml --against "python tests/benchmarks/paho_publish.py"

It publishes the messages of the recording with paho's publish(), its network loop in a thread of its own, as its
documentation has it, and measures from the first message until the broker has read the last one.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

MOST_QUEUED = 60_000
"""paho refuses a message when 65,535 wait."""
ANSWER_S = 600


def main() -> None:
    """Publish and print the rate."""
    lines = Path(os.environ["PARKSIM_RECORDING"]).read_bytes().splitlines()
    messages = [(topic.decode(), payload) for topic, _, payload in (line.partition(b"\t") for line in lines)]
    qos = int(os.environ["PARKSIM_QOS"])
    connected, done = threading.Event(), threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(int(os.environ["PARKSIM_WINDOW"]))
    client.on_connect = lambda *_: connected.set()
    client.on_subscribe = lambda *_: done.set()
    client.connect(os.environ["PARKSIM_HOST"], int(os.environ["PARKSIM_PORT"]))
    client.loop_start()
    assert connected.wait(ANSWER_S)
    begun = time.perf_counter()
    for topic, payload in messages:
        while len(client._out_messages) >= MOST_QUEUED:
            time.sleep(0.001)
        info = client.publish(topic, payload, qos)
    if qos:
        info.wait_for_publish(ANSWER_S)
        while client._out_messages:  # nothing public says that all of several messages are settled
            time.sleep(0.001)
    # the answer to a subscription comes behind everything that was sent before it
    client.subscribe("parksim/bench/barrier")
    assert done.wait(ANSWER_S)
    took_s = time.perf_counter() - begun
    client.loop_stop()
    client.disconnect()
    print(json.dumps({"per_s": len(messages) / took_s}))


if __name__ == "__main__":
    main()
