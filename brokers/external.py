"""A broker that someone else runs: looked at before use, never stopped."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Self

from brokers.endpoint import Endpoint, Session

__all__ = ["ExternalBroker"]


class ExternalBroker:
    """The broker at an address. Entering connects once, so that a wrong address or password shows at the start."""

    process_id = None
    may_wait = 1000
    """The default of mosquitto (``max_queued_messages``), which drops further ones without a word."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.profile = (
            f"{endpoint}, run by someone else: what it keeps over a crash, and how long its queues may grow before "
            "it drops messages, is unknown to parksim."
        )

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> Session:
        from brokers.session import LineSession  # noqa: PLC0415  # paho takes 60 ms to import

        return LineSession(self.endpoint, client_id, window=window, keep_session=keep_session)

    def death(self) -> str | None:
        return None

    def __enter__(self) -> Self:
        self.connect(f"parksim-check-{uuid.uuid4().hex[:8]}", window=1).close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
