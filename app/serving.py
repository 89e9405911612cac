"""Serves the web door over a socket, with the rest of the program alive beside it."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from app.build import Program, settle_memory

if TYPE_CHECKING:
    from app.branch import Branch

log = logging.getLogger("xiaoge.app")

FIRST_TRY = 30.0
"""Seconds that the places of a process are waited for before it answers anybody."""
PATIENCE = 3
"""Seconds that open pages and calls may take to end when the program does."""


def inherited(number: int) -> socket.socket:
    """The listening socket which the supervisor holds: ours is a copy, and may be closed."""
    return socket.socket(fileno=os.dup(number))


def serve(program: Program, listener: socket.socket) -> bool:
    """Serve until a signal ends it. Returns whether it had come up at all."""
    from web.app import make_app

    @asynccontextmanager
    async def alive(_: object) -> AsyncIterator[None]:
        """What must be done at the end is done here: afterwards the server ends the process by its signal."""
        await program.start()
        try:
            yield
        finally:
            await program.stop()

    app = make_app(program.parts(), alive)
    settle_memory()
    return _run(app, listener)


def serve_places(branches: "Sequence[Branch]", listener: socket.socket) -> bool:
    """The same for several places, each with a program of its own behind one address."""
    from web.joined import make_joined_app

    return _run(make_joined_app(branches, life_of(branches)), listener)


def life_of(branches: "Sequence[Branch]") -> Callable[[object], AbstractAsyncContextManager[None]]:
    """Start all places, wait until each was tried once, and stop them at the end."""

    @asynccontextmanager
    async def alive(_: object) -> AsyncIterator[None]:
        tries = [asyncio.create_task(branch.keep(), name=branch.name) for branch in branches]
        first = asyncio.gather(*(branch.tried.wait() for branch in branches))
        with suppress(TimeoutError):  # whoever is slow is served later: the others need not wait
            await asyncio.wait_for(first, FIRST_TRY)
        settle_memory()
        try:
            yield
        finally:
            for one in tries:
                one.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
            await asyncio.gather(*(branch.stop() for branch in branches))

    return alive


def _run(app: ASGIApp, listener: socket.socket) -> bool:
    import uvicorn

    config = uvicorn.Config(
        app,
        access_log=False,  # addresses of pages hold keys
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=PATIENCE,
        server_header=False,
    )
    server = uvicorn.Server(config)
    address = listener.getsockname()
    log.info("serving at http://%s:%d", address[0], address[1])
    server.run(sockets=[listener])
    return server.started
