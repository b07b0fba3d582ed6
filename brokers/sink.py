"""A broker that takes everything, acknowledges it and forgets it: what is behind a generator that measures itself."""

from __future__ import annotations

from brokers.child import ChildBroker

__all__ = ["Sink"]


class Sink(ChildBroker):
    """A sink on a free port of the loopback interface. Whoever subscribes is granted that, and hears nothing."""

    profile = "A sink: it takes every message, and delivers none."
    module = "brokers.sink_child"
    called = "sink"
