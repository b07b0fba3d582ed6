"""The server of the page: uvicorn in a thread of its own, which the run never waits for."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn

from simulator.view.web.address import Address, Place, listen
from simulator.view.web.hub import Hub
from simulator.view.web.routes import application

__all__ = ["PageServer"]

PARTING_S = 2.0
"""For browsers to get the last document, and for connections to end."""


class PageServer:
    """Serves the page from when it is opened until it is closed."""

    def __init__(self, address: Address) -> None:
        """Listen at once. Raises ScenarioError where that cannot be."""
        self.hub = Hub()
        self._socket, self.place = listen(address)
        self._server = uvicorn.Server(configured(self.hub, self.place, address.language))
        self._thread = threading.Thread(target=self._serve, args=(self._socket,), name="parksim-page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give browsers the last document, and end; a browser that is slow is left behind."""
        self.hub.close(PARTING_S)
        self._server.should_exit = True
        self._thread.join(2 * PARTING_S)
        self._socket.close()

    def _serve(self, listener: socket.socket) -> None:
        async def serve() -> None:
            self.hub.start(asyncio.get_running_loop())
            await self._server.serve(sockets=[listener])
            # one whose browser does not read would wait for it to the end of days
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)

        asyncio.run(serve())


def configured(hub: Hub, place: Place, language: str) -> uvicorn.Config:
    """Return how to serve: without a log of requests, for the first URL has the token in it.

    Nor is there one of errors: a browser that has to be left behind at the end would be one, with a traceback.
    """
    return uvicorn.Config(
        application(hub, place, language),
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        limit_concurrency=256,
    )
