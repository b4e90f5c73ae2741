"""Compare two recipes on the same pictures, as a job."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from flawline.server.access import Engineer, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.recipe_facts import versions_of
from flawline.server.routes.recipes import known, version_of
from flawline.server.state import ServerState
from flawline.server.work.chosen_pictures import Files, FolderName, chosen
from flawline.server.work.comparison_job import run_comparison

router = APIRouter(prefix="/api/compare", tags=["recipes"])
Text = Annotated[str, Form(max_length=300)]


@router.post("", status_code=202)
def start_comparison(
    state: State,
    visitor: Engineer,
    first: Text,
    second: Text,
    files: Files = None,
    folder: FolderName = "",
) -> dict[str, Any]:
    """Compare two versions, each as PRODUCT:HASH, on pictures with labels or masks, as a job."""
    recipes = dict(_named(state, text) for text in (first, second))
    if len(recipes) < 2:
        raise ServerError("expected two different versions", code="usage")
    with chosen(state, files, folder) as pictures:
        title = f"{' and '.join(recipes)} on {pictures.title}"
        work = partial(run_comparison, pictures.take, recipes)
        job = state.jobs.start("compare", title, visitor.account.name, work)
    note(state, visitor, "compare recipes", title)
    return job.as_dict()


@router.get("/{number}/report", response_class=HTMLResponse)
def report(number: str, state: State, _visitor: Viewer) -> HTMLResponse:
    """Give the report of a comparison, one HTML page."""
    return HTMLResponse((_compared(state, number) / "report.html").read_text("utf-8"))


def _compared(state: ServerState, number: str) -> Path:
    job = state.jobs.get(number)
    if job.kind != "compare" or job.state != "done":
        raise ServerError(f"the comparison {number[:40]!r} is not done", code="not-found")
    return state.jobs.place(number)


def _named(state: ServerState, text: str) -> tuple[str, Any]:
    product, _, recipe = text.rpartition(":")
    found = version_of(state, product, recipe)
    version = next(
        one["version"]
        for one in versions_of(known(state, product))
        if one["recipe"] == found.sha256
    )
    return f"{product} version {version}", found
