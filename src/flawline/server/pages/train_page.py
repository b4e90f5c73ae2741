"""The page of a training: how far it is, and whether its recipe can be used."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.page import PageViewer, render

router = APIRouter(include_in_schema=False)


@router.get("/train/{number}", response_class=HTMLResponse)
def training(number: str, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show a training: the verdict first, then what to do with it."""
    job = state.jobs.get(number)
    if job.kind != "train":
        raise ServerError(f"there is no training {number[:40]!r}", code="not-found")
    return render(request, "train.html", visitor, job=job.as_dict())
