"""The pages of trainings: choose pictures, see how far it is, and whether its recipe can be used."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.errors import DependencyError
from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.page import PageEngineer, PageViewer, render
from flawline.server.routes.rank import done, marks_of, sheet
from flawline.server.state import ServerState
from flawline.server.work.training_job import CHECKPOINTS, training_again

router = APIRouter(include_in_schema=False)
_SHOWN, _LISTED = 6, 20


@router.get("/train", response_class=HTMLResponse)
def new_training(
    request: Request, state: State, visitor: PageEngineer, ranking: str = "", part: str = ""
) -> HTMLResponse:
    """Choose pictures to learn from: an upload, a folder of the server, or the marked ones of a ranking."""
    rankings = [] if ranking else _marked_rankings(state)
    return render(
        request,
        "train_new.html",
        visitor,
        ranking=_ranking(state, visitor, ranking) if ranking else None,
        rankings=rankings,
        part=part[:200],
        folders=list(state.settings.folders),
        segment_hint=segment_hint(),
        trainings=[job.as_dict() for job in state.jobs.list("train")[:_LISTED]],
    )


@router.get("/train/{number}", response_class=HTMLResponse)
def training(number: str, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show a training: the verdict first, then what to do with it."""
    job = state.jobs.get(number)
    if job.kind != "train":
        raise ServerError(f"there is no training {number[:40]!r}", code="not-found")
    active = {one.recipe for one in state.store.activations.current().values()}
    return render(
        request,
        "train.html",
        visitor,
        job=job.as_dict(),
        active=job.result is not None and job.result["recipe"] in active,
        again=_again(state, number) if job.state in ("failed", "cancelled") else "",
    )


@cache
def segment_hint() -> str:
    """Say what is missing to train on masks; empty where nothing is."""
    from flawline.jobs.train.segment.extra import require_extra

    try:
        require_extra()
    except DependencyError as error:
        return error.hint
    return ""


def _again(state: ServerState, number: str) -> str:
    """Name the button that does a training once more; empty where its pictures are gone."""
    place = state.jobs.place(number)
    try:
        training_again(place)
    except ServerError:
        return ""
    return "Go on" if (place / CHECKPOINTS).is_dir() else "Train again with the same pictures"


def _ranking(state: ServerState, visitor: Any, number: str) -> dict[str, Any]:
    marks = marks_of(done(state, number))
    rows = sheet(number, state, visitor)["pictures"]
    good = [row["rank"] for row in rows if marks.get(row["image"]) == "good"]
    bad = sum(mark == "bad" for mark in marks.values())
    return {
        "id": number,
        "title": state.jobs.get(number).title,
        "good": len(good),
        "bad": bad,
        "unmarked": len(rows) - len(good) - bad,
        "shown": good[:: max(1, len(good) // _SHOWN)][:_SHOWN],
    }


def _marked_rankings(state: ServerState) -> list[dict[str, Any]]:
    found = []
    for job in state.jobs.list("rank")[:_LISTED]:
        marks = list(marks_of(state.jobs.place(job.id)).values())
        if job.state == "done" and "good" in marks:
            counts = {"good": marks.count("good"), "bad": marks.count("bad")}
            found.append({"id": job.id, "title": job.title, "created": job.created, **counts})
    return found
