"""Put the server together: middleware, routes and pages around one state."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from flawline.server.body_limit import BodyLimit
from flawline.server.errors import add_error_handlers
from flawline.server.headers import SecurityHeaders
from flawline.server.hosts import OwnHosts
from flawline.server.idempotency import Idempotency
from flawline.server.pages import (
    addresses,
    control_page,
    keys_page,
    label_page,
    line,
    people,
    rank_page,
    recipes_page,
    records_page,
    review,
    sign_in_page,
    studies_page,
    train_page,
)
from flawline.server.routes import (
    accounts,
    alerts,
    charts,
    compare,
    evidence,
    health,
    inspect,
    jobs,
    label_masks,
    labels,
    rank,
    recipe_changes,
    recipes,
    records,
    sample,
    sign_in,
    studies,
    train,
    trigger,
)
from flawline.server.settings import LOOPBACK
from flawline.server.state import ServerState
from flawline.version import __version__

ROUTES = (
    health,
    sign_in,
    accounts,
    inspect,
    trigger,
    jobs,
    rank,
    train,
    recipes,
    recipe_changes,
    evidence,
    compare,
    records,
    alerts,
    charts,
    studies,
    sample,
    labels,
    label_masks,
)
PAGES = (
    sign_in_page,
    line,
    review,
    records_page,
    control_page,
    studies_page,
    rank_page,
    recipes_page,
    train_page,
    people,
    keys_page,
    addresses,
    label_page,
)


def server_app(state: ServerState) -> FastAPI:
    """Make the application of an opened state."""
    app = FastAPI(
        title="Flawline",
        version=__version__,
        description="Find, measure, judge and record defects in pictures of parts. A POST that is sent again under one "
        "Idempotency-Key is done once.",
        # The pages of FastAPI load scripts from elsewhere; /docs is ours.
        docs_url=None,
        redoc_url=None,
    )
    app.state.server = state
    add_error_handlers(app)
    for module in (*ROUTES, *PAGES):
        # `include_router` would build each route once more, at the first request.
        app.router.routes.extend(module.router.routes)
    app.state.pages = {
        route.path for page in PAGES for route in page.router.routes if isinstance(route, APIRoute)
    }
    app.mount("/static", StaticFiles(packages=[("flawline.server", "static")]), name="static")
    app.add_middleware(Idempotency, state=state)
    app.add_middleware(BodyLimit, most=state.settings.most_upload)
    app.add_middleware(OwnHosts, hosts=_hosts(state))
    app.add_middleware(SecurityHeaders)
    return app


def _hosts(state: ServerState) -> set[str] | None:
    """Names that the server answers for; any where it is reached from elsewhere and none are named."""
    named = set(state.settings.hosts)
    if state.settings.loopback:
        return {*LOOPBACK, *named}
    return {*LOOPBACK, *named} if named else None
