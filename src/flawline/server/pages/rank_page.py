"""The pages of rankings: drop pictures, see the anomalous ones first."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.page import PageOperator, render
from flawline.server.routes.rank import sheet

router = APIRouter(include_in_schema=False)


@router.get("/rank", response_class=HTMLResponse)
def rankings(request: Request, state: State, visitor: PageOperator) -> HTMLResponse:
    """Show where to drop pictures, and earlier rankings."""
    jobs = [job.as_dict() for job in state.jobs.list("rank")[:100]]
    return render(request, "rank.html", visitor, jobs=jobs, folders=list(state.settings.folders))


@router.get("/rank/{number}", response_class=HTMLResponse)
def ranking(number: str, request: Request, state: State, visitor: PageOperator) -> HTMLResponse:
    """Show a ranking, the most anomalous pictures first, or how far it is."""
    job = state.jobs.get(number)
    if job.kind != "rank":
        raise ServerError(f"there is no ranking {number[:40]!r}", code="not-found")
    found: dict[str, Any] | None = None
    marks: dict[str, str] = {}
    if job.state == "done":
        found = sheet(number, state, visitor)
        marks = found["marks"]
    good = sum(mark == "good" for mark in marks.values())
    return render(
        request,
        "ranking.html",
        visitor,
        job=job.as_dict(),
        found=found,
        marks=marks,
        good=good,
    )
