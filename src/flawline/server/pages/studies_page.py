"""The pages of studies: what was found last, a form for a new one, and one study to read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.page import PageEngineer, PageViewer, render
from flawline.server.routes.studies import kind_as_dict
from flawline.server.study_kinds import study_kind, study_kinds, usual_settings
from flawline.server.work.runner import Job
from flawline.server.work.study_job import read_shown

router = APIRouter(include_in_schema=False)


@router.get("/studies", response_class=HTMLResponse)
def studies(request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show every study with its last finding, and those before."""
    jobs = state.jobs.list("study")
    done = [job for job in jobs if job.state == "done" and job.result]
    last: dict[str, Job] = {}
    for job in done:
        assert job.result is not None
        last.setdefault(str(job.result["study"]), job)
    return render(
        request,
        "studies.html",
        visitor,
        kinds=list(study_kinds().values()),
        last={name: job.as_dict() for name, job in last.items()},
        jobs=[job.as_dict() for job in jobs],
        has_records=bool(state.store.page(count=1).items),
    )


@router.get("/studies/new", response_class=HTMLResponse)
def new_study(
    request: Request,
    state: State,
    visitor: PageEngineer,
    study: Annotated[str, Query(max_length=40)],
    q: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    """Show the form of a study with what the records suggest; `NAME=VALUE` in the address fills a setting."""
    kind = usual_settings(study_kind(study), state.store)
    return render(
        request,
        "study_new.html",
        visitor,
        kind=kind_as_dict(kind),
        q=q,
        given=dict(request.query_params),
    )


@router.get("/studies/{number}", response_class=HTMLResponse)
def one_study(number: str, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show a study: the finding, drawings, tables and what it rests on; or how far it is."""
    job = state.jobs.get(number)
    if job.kind != "study":
        raise ServerError(f"there is no study {number[:40]!r}", code="not-found")
    shown = read_shown(state.jobs.place(number)) if job.state == "done" else None
    return render(request, "study.html", visitor, job=job.as_dict(), shown=shown)
