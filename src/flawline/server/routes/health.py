"""Whether the server runs and can judge; its figures for Prometheus."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from flawline.errors import FlawlineError
from flawline.server.access import State, Viewer
from flawline.server.metrics import CONTENT_TYPE
from flawline.version import __version__

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """Say that the server runs."""
    return {"status": "ok"}


@router.get(
    "/ready", responses={503: {"description": "The records are away or a recipe is damaged."}}
)
def ready(state: State) -> Response:
    """Say whether pictures can be judged and recorded."""
    problems = [f"{name}: {reason}" for name, reason in state.products.failed.items()]
    try:
        state.store.accounts.count()
    except FlawlineError as error:
        problems.append(f"records: {error.message}")
    # Strangers learn that something is wrong, not what.
    body = {"status": "not ready" if problems else "ready"}
    return JSONResponse(body, 503 if problems else 200)


@router.get("/metrics")
def metrics(state: State, _visitor: Viewer) -> Response:
    """Give counts and times in the format of Prometheus."""
    return Response(state.metrics.text(state.queue.inside), media_type=CONTENT_TYPE)


@router.get("/api/status")
def status(state: State, visitor: Viewer) -> dict[str, Any]:
    """Describe the server: its products, what is judged now, and what is wrong."""
    return {
        "version": __version__,
        "products": list(state.products.names()),
        "failed": dict(state.products.failed),
        "judging": state.queue.inside,
        "records": state.store.name,
        "account": {"name": visitor.account.name, "role": visitor.role},
    }
