"""The process in which the embedded broker lives: prints its port, serves until standard input ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from dataclasses import dataclass

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

__all__ = ["OpenDoor", "main"]


class OpenDoor(BaseAuthPlugin):  # type: ignore[misc]  # amqtt has no types
    """Let everybody in who reaches the loopback interface.

    Other than amqtt's own plugin it leaves ``is_anonymous`` unset, for amqtt keeps no messages for an anonymous
    client that is away.
    """

    async def authenticate(self, *, session: Session) -> bool:
        return session is not None

    @dataclass
    class Config:
        """amqtt wants one; there is nothing to configure."""


async def serve() -> None:
    """Run a broker on a free port of the loopback interface until standard input ends."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
            "plugins": {"brokers.embedded_child.OpenDoor": {}},
        }
    )
    await broker.start()
    server = broker._servers["default"].instance  # noqa: SLF001  # nothing public tells a port chosen by the system
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # the parent reads it
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await broker.shutdown()


def main() -> None:
    """Serve quietly and fast."""
    logging.disable(logging.CRITICAL)
    # A message makes some fifty objects that die young; with the default threshold of 700 a tenth of the time goes
    # into looking for cycles.
    gc.set_threshold(50_000, 20, 20)
    asyncio.run(serve())


if __name__ == "__main__":
    main()
