"""Run studies of records as jobs, and give what they found."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from flawline.data.json_file import parse_json
from flawline.errors import UsageError
from flawline.records.where import Where
from flawline.server.access import Engineer, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.search import parse_search
from flawline.server.state import ServerState
from flawline.server.study_kinds import (
    StudyKind,
    read_settings,
    study_kind,
    study_kinds,
    usual_settings,
)
from flawline.server.work.study_job import run_study

router = APIRouter(prefix="/api/studies", tags=["studies"])


class StudyBody(BaseModel):
    """Which study, of which records, with which settings; those that are not given are the usual ones."""

    study: str = Field(max_length=40)
    q: str = Field(default="", max_length=500)
    settings: dict[str, str | float | bool | list[str] | None] = Field(
        default_factory=dict, max_length=40
    )


@router.get("/kinds")
def list_kinds(state: State, _visitor: Viewer) -> dict[str, Any]:
    """List the studies that take records, with their settings and what these records suggest."""
    return {
        "studies": [
            kind_as_dict(usual_settings(one, state.store)) for one in study_kinds().values()
        ]
    }


@router.get("")
def list_studies(state: State, _visitor: Viewer) -> dict[str, Any]:
    """List the studies that were run, the newest first, with their findings."""
    return {"studies": [job.as_dict() for job in state.jobs.list("study")]}


@router.post("", status_code=202)
def start_study(body: StudyBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Run a study as a job; `/api/jobs/ID` tells its progress."""
    kind = study_kind(body.study)
    settings = read_settings(kind, body.settings)
    where = parse_search(body.q)
    _check(where)
    title = " ".join([kind.name, *([str(settings["measure"])] if "measure" in settings else [])])
    work = partial(run_study, state.store, state.pictures, kind, settings, where, body.q)
    job = state.jobs.start("study", title, visitor.account.name, work)
    note(state, visitor, "study", title)
    return job.as_dict()


@router.get("/{number}")
def show_study(number: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give the document of a study that is done: its finding and all figures."""
    folder = studied(state, number)
    job = state.jobs.get(number)
    assert job.result is not None
    files = [path for path in folder.glob("*.json") if path.name not in ("job.json", "shown.json")]
    return {**job.result, "document": parse_json(files[0].read_bytes())}


@router.get("/{number}/report", response_class=HTMLResponse)
def report(number: str, state: State, _visitor: Viewer) -> HTMLResponse:
    """Give the report of a study, one HTML page."""
    page = next(studied(state, number).glob("*.html"))
    return HTMLResponse(page.read_text("utf-8"))


def studied(state: ServerState, number: str) -> Path:
    """Name the folder of a study that is done; ServerError where it is not."""
    job = state.jobs.get(number)
    if job.kind != "study" or job.state != "done":
        raise ServerError(f"the study {number[:40]!r} is not done", code="not-found")
    return state.jobs.place(number)


def kind_as_dict(kind: StudyKind) -> dict[str, Any]:
    """Describe a study by plain values."""
    return {
        "study": kind.name,
        "about": kind.about,
        "settings": [
            {
                "name": field.name,
                "kind": field.kind,
                "required": field.required,
                "default": field.default,
                "help": field.help,
                "choices": list(field.choices),
            }
            for field in kind.fields
        ],
    }


def _check(where: Where) -> None:
    if where.verdict or where.least or where.most or where.decided is not None:
        raise UsageError(
            "a study of parts chosen by their verdict or measures would be about these alone",
            hint="choose by product, lot, station, step, tool, operator, shift, part, recipe or time",
        )
