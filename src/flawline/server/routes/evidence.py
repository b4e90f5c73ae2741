"""Show what recipes were judged by at their training: pictures of known parts, heat, and blind zones."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from flawline.server.access import State, Viewer
from flawline.server.errors import ServerError
from flawline.server.evidence_book import BLIND
from flawline.server.state import ServerState

router = APIRouter(prefix="/api/evidence", tags=["recipes"])
_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}


@router.get("/{recipe}/blind", response_class=Response)
def blind_zones(recipe: str, state: State, _visitor: Viewer) -> Response:
    """Give the map of blind zones over the mean part as JPEG."""
    return _file(state, recipe, BLIND, "image/jpeg")


@router.get("/{recipe}/pictures/{number}", response_class=Response)
def picture(recipe: str, number: int, state: State, _visitor: Viewer) -> Response:
    """Give a picture of a known part as JPEG."""
    return _file(state, recipe, f"{number}.jpg", "image/jpeg")


@router.get("/{recipe}/pictures/{number}/heat", response_class=Response)
def heat(recipe: str, number: int, state: State, _visitor: Viewer) -> Response:
    """Give the heat of a picture of a known part as PNG."""
    return _file(state, recipe, f"{number}.png", "image/png")


def _file(state: ServerState, recipe: str, name: str, kind: str) -> Response:
    place: Path | None = None
    if len(recipe) == 64 and recipe.isalnum():
        place = state.evidence.place(recipe)
    if place is None or not (place / name).is_file():
        raise ServerError("no such picture is kept with this recipe", code="not-found")
    return FileResponse(place / name, media_type=kind, headers=_KEPT)
