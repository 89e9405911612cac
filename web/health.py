"""GET /healthz: whether this process can do its work, for whoever restarts it."""

import asyncio
from typing import Final

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from sqlalchemy import select
from sqlmodel import Session

from web.parts import Parts
from web.reading import Looks

_PATIENCE: Final = 1.0
"""Seconds within which writer and reader have to answer."""


def health_routes(parts: Parts, looks: Looks) -> APIRouter:
    """200 when a write and a read both work within a second, else 503 with which did not."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> PlainTextResponse:
        try:
            await asyncio.wait_for(parts.lane.run(_touch, quiet=True), _PATIENCE)
        except Exception as trouble:  # noqa: BLE001 (whatever it is, it is not healthy)
            return PlainTextResponse(f"writing: {type(trouble).__name__}\n", 503)
        try:
            await asyncio.wait_for(looks(lambda reading: reading.tree.version), _PATIENCE)
        except Exception as trouble:  # noqa: BLE001 (as above)
            return PlainTextResponse(f"reading: {type(trouble).__name__}\n", 503)
        return PlainTextResponse("ok\n")

    return router


def _touch(session: Session) -> None:
    session.execute(select(1))
