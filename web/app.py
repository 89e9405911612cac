"""The HTTP door: puts the routes together over what it is given. It makes no part itself."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from web.api import api_routes
from web.chat import chat_routes
from web.errors import speak_plainly
from web.guard import Guard
from web.health import health_routes
from web.hooks import hook_route
from web.lists_in import registry_routes
from web.live import Live, live_routes
from web.metrics import metrics_routes
from web.own_data import own_data_routes
from web.pages.board import board_routes
from web.pages.docs import docs_routes
from web.pages.doors import door_routes
from web.pages.group import group_routes
from web.pages.home import home_routes
from web.pages.play import play_routes
from web.papers import paper_routes
from web.parts import Parts
from web.photos import media_routes
from web.reading import Looks
from web.show import environment, static_routes

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(parts: Parts, lifespan: Lifespan | None = None) -> FastAPI:
    """Make the web application.

    Args:
        parts: what it stands on; the lane must run before the first request is answered.
        lifespan: starts and stops what the caller wants to live as long as the server does.
    """
    app = FastAPI(
        title="小格 API",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        servers=[{"url": parts.base}] if parts.base else None,
        lifespan=lifespan,
        routes=[hook_route(parts)],
    )
    templates, looks = environment(parts.book, parts.base), Looks(parts.desk)
    live = Live(parts, looks, templates)
    for router in (
        chat_routes(parts, looks, live, templates),
        own_data_routes(parts, live),
        live_routes(live),
        media_routes(parts, looks),
        api_routes(parts, looks),
        registry_routes(parts, looks),
        health_routes(parts, looks),
        metrics_routes(parts, looks),
        home_routes(parts, looks, templates),
        board_routes(parts, looks, templates),
        door_routes(parts, looks, templates),
        paper_routes(parts, looks, templates),
        play_routes(parts, templates),
        group_routes(parts, looks, templates),
        docs_routes(app, parts.book, templates),
        static_routes(),
    ):
        app.include_router(router)
    app.add_middleware(Guard, say=speak_plainly(app, templates))
    return app
