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
        trouble = await trouble_with(parts, looks)
        return PlainTextResponse("ok\n") if trouble is None else PlainTextResponse(f"{trouble}\n", 503)

    return router


async def trouble_with(parts: Parts, looks: Looks) -> str | None:
    """Say which of writing and reading does not work within a second; None where both do."""
    try:
        await asyncio.wait_for(parts.lane.run(_touch, quiet=True), _PATIENCE)
    except Exception as trouble:  # noqa: BLE001 (whatever it is, it is not healthy)
        return f"writing: {type(trouble).__name__}"
    try:
        await asyncio.wait_for(looks(lambda reading: reading.tree.version), _PATIENCE)
    except Exception as trouble:  # noqa: BLE001 (as above)
        return f"reading: {type(trouble).__name__}"
    return None


def _touch(session: Session) -> None:
    session.execute(select(1))
