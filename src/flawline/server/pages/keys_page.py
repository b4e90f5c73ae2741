"""The page of keys, and the field that goes to a part, lot or page."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from flawline.errors import StoreError
from flawline.records.where import Where
from flawline.server.access import State, Viewer, Visitor
from flawline.server.page import PageViewer, places_of, render
from flawline.server.search import search_address
from flawline.server.state import ServerState

router = APIRouter()
LABEL = (
    ("b e p w f", "brush, eraser, polygon, magic wand, fill"),
    ("[ ]", "smaller, larger; of the wand: tolerance"),
    ("1-9", "class; of the chosen region, where there is one"),
    ("z Z", "undo, redo"),
    ("space", "move while it is held; the wheel zooms, 0 fits in, arrows move"),
    ("h o", "hide masks, next opacity"),
    ("g", "let a recipe propose"),
    ("Tab", "next proposal; Enter accepts, Delete rejects"),
    ("Enter", "close the polygon; else done, and the next picture"),
    ("Delete", "remove the chosen region, or the last corner"),
    ("Page up, down", "picture before, next"),
    ("c", "compare the masks of two people"),
    ("Escape", "leave off"),
)
KEYS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Everywhere", (("k", "go to a part, a lot or a page"), ("?", "show these keys"))),
    (
        "Pictures",
        (
            ("+ -", "zoom, as the wheel does"),
            ("arrows", "move, as dragging does"),
            ("0", "fit the picture in"),
            ("h", "show or hide the heat"),
            ("c", "put the nearest good part beside it, on the page of a part"),
        ),
    ),
    (
        "Line",
        (
            ("p", "hold the part that is shown, or go on"),
            ("o", "overrule the verdict"),
            ("w", "show it for the wall"),
        ),
    ),
    (
        "Review",
        (
            ("a", "accept"),
            ("r", "reject"),
            ("s", "skip"),
            ("u", "undo"),
            ("1-9", "name the class of defect"),
            ("n", "write a note"),
            ("b", "hide or show what the machine says"),
        ),
    ),
    ("Records", (("/", "write a search"),)),
    (
        "Control",
        (
            ("left right", "show the point before or after"),
            ("n", "go to the next signal without a cause"),
            ("c", "write a cause"),
        ),
    ),
    (
        "Rank",
        (
            ("arrows", "choose a picture"),
            ("g", "mark as good"),
            ("b", "mark as bad"),
            ("u", "undo the last marks"),
            ("shift + arrows", "select all between"),
            ("space", "select one more"),
            ("l", "select all like this"),
            ("ctrl + a", "select all shown"),
            ("esc", "select none, close the picture"),
            ("h", "heat on hover, always or off"),
            ("m", "the map, or the sheet"),
        ),
    ),
    ("Label", LABEL),
    (
        "Recipes",
        (("arrows", "move a threshold by one part"), ("shift + arrows", "move it farther")),
    ),
)
"""What keys do, by page."""
_MOST = 8


@router.get("/keys", response_class=HTMLResponse, include_in_schema=False)
def keys(request: Request, visitor: PageViewer) -> HTMLResponse:
    """Show what keys do."""
    return render(request, "keys.html", visitor, keys=KEYS)


@router.get("/api/find", tags=["records"])
def find(
    request: Request,
    state: State,
    visitor: Viewer,
    q: Annotated[str, Query(max_length=200, description="A part, a lot or a page.")] = "",
) -> dict[str, Any]:
    """Find pages by the beginning of their name, and parts and lots by their name."""
    found = [*_pages(request, visitor, q.strip()), *(_names(state, q.strip()) if q.strip() else ())]
    return {"found": found[:_MOST]}


def _pages(request: Request, visitor: Visitor, text: str) -> list[dict[str, str]]:
    further = [("/account", "Account"), ("/keys", "Keys"), ("/docs", "API")]
    every = [*((one.address, one.title) for one in places_of(request, visitor)), *further]
    return [
        {"kind": "page", "title": title, "address": address}
        for address, title in every
        if title.casefold().startswith(text.casefold())
    ]


def _names(state: ServerState, text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for kind in ("part", "lot"):
        page = state.store.page(Where(names={kind: text}), count=2)
        if page.items:
            alone = kind == "part" and len(page.items) == 1
            address = f"/records/{page.items[0].id}" if alone else search_address(kind, text)
            found.append({"kind": kind, "title": text, "address": address})
    if text.isdigit() and len(text) < 16:
        with suppress(StoreError):
            number = state.store.get(int(text)).id
            found.append({"kind": "inspection", "title": text, "address": f"/records/{number}"})
    return found
