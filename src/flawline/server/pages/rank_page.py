"""The pages of rankings: drop pictures, see the odd ones first."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.data.json_file import parse_json
from flawline.server.access import State
from flawline.server.page import PageOperator, render
from flawline.server.routes.rank import done, marks_of

router = APIRouter(include_in_schema=False)


@router.get("/rank", response_class=HTMLResponse)
def rankings(request: Request, state: State, visitor: PageOperator) -> HTMLResponse:
    """Show where to drop pictures, and earlier rankings."""
    jobs = [job.as_dict() for job in state.jobs.list("rank")]
    return render(request, "rank.html", visitor, jobs=jobs)


@router.get("/rank/{number}", response_class=HTMLResponse)
def ranking(number: str, request: Request, state: State, visitor: PageOperator) -> HTMLResponse:
    """Show a ranking, the most anomalous pictures first, or how far it is."""
    job = state.jobs.get(number).as_dict()
    found, marks = None, {}
    if job["state"] == "done":
        found = parse_json((done(state, number) / "ranking.json").read_bytes())
        marks = marks_of(done(state, number))
    return render(request, "ranking.html", visitor, job=job, found=found, marks=marks)
