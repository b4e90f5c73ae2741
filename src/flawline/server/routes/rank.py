"""Rank pictures without labels as a job, look at them, and mark them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse, Response
from pydantic import BaseModel, Field

from flawline.data.csv_file import csv_text
from flawline.data.image import read_image
from flawline.data.json_file import parse_json, write_json_document
from flawline.data.source import open_source
from flawline.server.access import Engineer, Operator, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.pictures import jpeg
from flawline.server.state import ServerState
from flawline.server.work.chosen_pictures import Files, FolderName, chosen, pictures_of
from flawline.server.work.contact_sheet import nearest
from flawline.server.work.ranking_job import FEATURES, SHEET, run_ranking
from flawline.server.work.runner import Job
from flawline.server.work.training_job import TrainingWish, marked_training

router = APIRouter(prefix="/api/rank", tags=["rank"])
_MARKING = Lock()
_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}


class MarksBody(BaseModel):
    """Marks by the names of pictures."""

    marks: dict[str, Literal["good", "bad", ""]] = Field(max_length=20_000)


class LearnBody(BaseModel):
    """What to learn from a ranking: the part's name, whether pictures without a mark are good, and how much to try."""

    part: str = Field(min_length=1, max_length=200)
    unmarked: bool = False
    effort: Literal["none", "quick", "normal", "thorough"] = "normal"


@router.post("", status_code=202)
def start_ranking(
    state: State, visitor: Operator, files: Files = None, folder: FolderName = ""
) -> dict[str, Any]:
    """Rank pictures, the most anomalous first, as a job; `/api/jobs/ID` tells its progress."""
    with chosen(state, files, folder) as pictures:
        work = partial(run_ranking, pictures.take)
        job = state.jobs.start("rank", pictures.title, visitor.account.name, work)
    note(state, visitor, "rank", pictures.title)
    return job.as_dict()


@router.get("/{number}")
def show_ranking(number: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give the ranking of a job that is done."""
    return _document(done(state, number) / "ranking.json")


@router.get("/{number}/sheet")
def sheet(number: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give every picture with its place, size, map coordinates and reasons, in the order of rank, and the marks."""
    folder = done(state, number)
    return {**_document(folder / SHEET), "marks": marks_of(folder)}


@router.get("/{number}/pictures/{rank}", response_class=Response)
def picture(number: str, rank: int, state: State, _visitor: Viewer) -> Response:
    """Give the picture of a rank as JPEG, small."""
    return _file(done(state, number) / "small" / f"{rank}.jpg", "image/jpeg", rank)


@router.get("/{number}/pictures/{rank}/whole", response_class=Response)
def whole_picture(number: str, rank: int, state: State, _visitor: Viewer) -> Response:
    """Give the picture of a rank as JPEG, in its own size."""
    folder = done(state, number)
    rows = _document(folder / "ranking.json")["ranking"]
    if not 1 <= rank <= len(rows):
        raise _no_rank(rank)
    with open_source(pictures_of(folder)) as source:
        found = read_image(source.read(rows[rank - 1]["image"]), limits=state.limits)
    return Response(jpeg(found.pixels), media_type="image/jpeg", headers=_KEPT)


@router.get("/{number}/pictures/{rank}/heat", response_class=Response)
def heat(number: str, rank: int, state: State, _visitor: Viewer) -> Response:
    """Give the heat of a picture as PNG, clear where it is usual; the first pictures have one."""
    return _file(done(state, number) / "heat" / f"{rank}.png", "image/png", rank)


@router.get("/{number}/pictures/{rank}/like")
def like(
    number: str,
    rank: int,
    state: State,
    _visitor: Viewer,
    count: Annotated[int, Query(ge=1, le=20_000)] = 12,
) -> dict[str, Any]:
    """List the pictures that look most like one, by the distance of their features."""
    places = np.load(done(state, number) / FEATURES, allow_pickle=False)
    if not 1 <= rank <= len(places):
        raise _no_rank(rank)
    found = nearest(places, rank)[:count]
    return {"like": [{"rank": one, "distance": distance} for one, distance in found]}


@router.get("/{number}/tiles/{place}", response_class=Response)
def tiles(number: str, place: int, state: State, _visitor: Viewer) -> Response:
    """Give a sheet of 1,024 small tiles, 32 in a row, in the order of rank."""
    return _file(done(state, number) / "tiles" / f"{place}.jpg", "image/jpeg", place)


@router.get("/{number}/marks")
def show_marks(number: str, state: State, _visitor: Viewer) -> dict[str, str]:
    """Give which pictures were marked "good" or "bad"."""
    return marks_of(done(state, number))


@router.put("/{number}/marks")
def mark(number: str, body: MarksBody, state: State, visitor: Operator) -> dict[str, str]:
    """Mark pictures "good" or "bad"; "" takes a mark away."""
    folder = done(state, number)
    with _MARKING:
        marks = {**marks_of(folder), **body.marks}
        marks = {name: value for name, value in sorted(marks.items()) if value}
        write_json_document(folder / "marks.json", marks)
    note(state, visitor, "mark pictures", f"{len(body.marks)} of {state.jobs.get(number).title}")
    return marks


@router.get("/{number}/marks.csv", response_class=Response)
def marks_table(number: str, state: State, _visitor: Viewer) -> Response:
    """Give rank, name, score, label and mark of every picture as CSV."""
    folder = done(state, number)
    marks = marks_of(folder)
    rows = [
        (row["rank"], row["image"], row["score"], row["label"], marks.get(row["image"], ""))
        for row in _document(folder / "ranking.json")["ranking"]
    ]
    text = csv_text(("rank", "image", "score", "label", "mark"), rows)
    headers = {"Content-Disposition": 'attachment; filename="marks.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/{number}/learn", status_code=202)
def learn(number: str, body: LearnBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Train on the pictures that were marked, as a job; `unmarked` takes the others as good."""
    folder = done(state, number)
    marks = marks_of(folder)
    if "good" not in marks.values() and not body.unmarked:
        raise ServerError(
            "no picture is marked good",
            hint="mark some, or take those without a mark as good",
            code="usage",
        )
    work = partial(
        marked_training, folder, marks, body.unmarked, TrainingWish(body.part, effort=body.effort)
    )
    job = state.jobs.start("train", body.part, visitor.account.name, work)
    note(state, visitor, "train", f"{body.part} from {state.jobs.get(number).title}")
    return job.as_dict()


@router.get("/{number}/report", response_class=HTMLResponse)
def report(number: str, state: State, _visitor: Viewer) -> HTMLResponse:
    """Give the report of the ranking, one HTML page."""
    return HTMLResponse((done(state, number) / "report.html").read_text("utf-8"))


def done(state: ServerState, number: str) -> Path:
    """Name the folder of a ranking that is done; ServerError where it is not."""
    job: Job = state.jobs.get(number)
    if job.kind != "rank" or job.state != "done":
        raise ServerError(f"the ranking {number[:40]!r} is not done", code="not-found")
    return state.jobs.place(number)


def marks_of(folder: Path) -> dict[str, str]:
    """Read the marks of a ranking by the names of its pictures."""
    path = folder / "marks.json"
    return dict(parse_json(path.read_bytes())) if path.is_file() else {}


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ServerError(
            "this ranking was made by an earlier version",
            hint="rank the pictures again",
            code="not-found",
        )
    found: dict[str, Any] = parse_json(path.read_bytes())
    return found


def _file(path: Path, kind: str, rank: int) -> Response:
    if not path.is_file():
        raise _no_rank(rank)
    return FileResponse(path, media_type=kind, headers=_KEPT)


def _no_rank(rank: int) -> ServerError:
    return ServerError(f"there is no such picture of rank {rank}", code="not-found")
