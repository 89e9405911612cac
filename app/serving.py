"""Serves the web door over a socket, with the rest of the program alive beside it."""

import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.build import Program, settle_memory

log = logging.getLogger("xiaoge.app")

PATIENCE = 3
"""Seconds that open pages and calls may take to end when the program does."""


def inherited(number: int) -> socket.socket:
    """The listening socket which the supervisor holds: ours is a copy, and may be closed."""
    return socket.socket(fileno=os.dup(number))


def serve(program: Program, listener: socket.socket) -> bool:
    """Serve until a signal ends it. Returns whether it had come up at all."""
    import uvicorn

    from web.app import make_app

    @asynccontextmanager
    async def alive(_: object) -> AsyncIterator[None]:
        """What must be done at the end is done here: afterwards the server ends the process by its signal."""
        await program.start()
        try:
            yield
        finally:
            await program.stop()

    config = uvicorn.Config(
        make_app(program.parts(), alive),
        access_log=False,  # addresses of pages hold keys
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=PATIENCE,
        server_header=False,
    )
    server = uvicorn.Server(config)
    settle_memory()
    address = listener.getsockname()
    log.info("serving at http://%s:%d", address[0], address[1])
    server.run(sockets=[listener])
    return server.started
