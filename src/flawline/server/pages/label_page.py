"""The pages where masks are drawn: the sets of pictures, and one set."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.core.colours import CLASSES
from flawline.jobs.label.queue import QUEUES
from flawline.server.access import State
from flawline.server.page import PageViewer, render
from flawline.server.pages.keys_page import LABEL
from flawline.server.routes.labels import list_sets, show_set

router = APIRouter(include_in_schema=False)
WORDS = {
    "todo": "To do",
    "suspects": "Suspicious",
    "disagreements": "Disagreements",
    "second": "For a second opinion",
    "done": "Done",
    "all": "All",
}


@router.get("/label", response_class=HTMLResponse)
def label_sets(request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show the sets of pictures to label, and where to drop others."""
    sets = list_sets(state, visitor)["sets"]
    left = sum(one["pictures"] - one["done"] for one in sets if one["pictures"] is not None)
    folders = list(state.settings.folders)
    return render(request, "label.html", visitor, sets=sets, left=left, folders=folders)


@router.get("/label/{number}", response_class=HTMLResponse)
def label_set(number: str, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show the pictures of a set, one of them large with the tools that draw its mask."""
    found = show_set(number, state, visitor)
    queues = [(name, WORDS[name], found["counts"][name]) for name in QUEUES]
    known = {
        "classes": found["classes"],
        "colours": list(CLASSES),
        "products": found["products"],
    }
    return render(
        request,
        "label_set.html",
        visitor,
        found=found,
        queues=queues,
        known=json.dumps(known),
        keys=LABEL,
    )
