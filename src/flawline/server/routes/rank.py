"""Rank pictures without labels as a job, and mark them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, Response
from pydantic import BaseModel, Field

from flawline.data.json_file import parse_json, write_json_document
from flawline.data.source import open_source
from flawline.server.access import Engineer, Operator, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.server.uploads import safe_name
from flawline.server.work.runner import Job, JobTrack
from flawline.server.work.staging import moved, source_of, staged
from flawline.types import Sample

router = APIRouter(prefix="/api/rank", tags=["rank"])
SMALL = 512
_MARKING = Lock()


class MarksBody(BaseModel):
    """Marks by the names of pictures."""

    marks: dict[str, Literal["good", "bad", ""]] = Field(max_length=20_000)


class LearnBody(BaseModel):
    """What to learn from a ranking: the part's name, and whether pictures without a mark are good."""

    part: str = Field(min_length=1, max_length=200)
    unmarked: bool = False


@router.post("", status_code=202)
def start_ranking(
    state: State,
    visitor: Operator,
    files: Annotated[list[UploadFile], File(description="Pictures, or one archive of them.")],
) -> dict[str, Any]:
    """Rank pictures, the most anomalous first, as a job; `/api/jobs/ID` tells its progress."""
    first = safe_name(files[0].filename or "", 0)
    title = f"{len(files)} pictures" if len(files) > 1 else first
    with staged(state.jobs, files) as sent:
        job = state.jobs.start("rank", title, visitor.account.name, partial(rank_upload, sent))
    note(state, visitor, "rank", title)
    return job.as_dict()


@router.get("/{number}")
def show_ranking(number: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give the ranking of a job that is done."""
    path = done(state, number).joinpath("ranking.json")
    found: dict[str, Any] = parse_json(path.read_bytes())
    return found


@router.get("/{number}/pictures/{rank}", response_class=Response)
def picture(number: str, rank: int, state: State, _visitor: Viewer) -> Response:
    """Give the picture of a rank as JPEG, small."""
    path = done(state, number) / "small" / f"{rank}.jpg"
    if not path.is_file():
        raise ServerError(f"there is no picture of rank {rank}", code="not-found")
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return FileResponse(path, media_type="image/jpeg", headers=headers)


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
    work = partial(_learn, folder, marks, body)
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


def _learn(
    ranked: Path, marks: dict[str, str], body: LearnBody, track: JobTrack, folder: Path
) -> dict[str, Any]:
    """Train on the marked pictures of a ranking."""
    from flawline.server.routes.train import train_source

    def marked(sample: Sample) -> Sample:
        mark = marks.get(sample.name) or ("good" if body.unmarked else "")
        known = {"good": False, "bad": True}.get(mark)
        return replace(sample, label=mark or "unmarked", defective=known, split=None)

    with open_source(source_of(ranked)) as source:
        return train_source(source.changed(marked), body.part, track, folder)


def rank_upload(sent: Path, track: JobTrack, folder: Path) -> dict[str, Any]:
    """Rank an upload; writes the ranking, its report and small pictures into the folder."""
    from flawline.jobs.rank.rank import rank
    from flawline.jobs.rank.ranking_files import write_ranking
    from flawline.jobs.rank.ranking_tables import ranking_as_dict

    place = moved(sent, folder)
    with open_source(place) as source:
        ranking, _ = rank(source, track=track)
        write_ranking(ranking, source, folder)
        document = ranking_as_dict(ranking)
        _small_pictures(source, [row["image"] for row in document["ranking"]], folder, track)
    write_json_document(folder / "ranking.json", document)
    return {"pictures": len(document["ranking"]), "unjudged": document["unjudged"]}


def _small_pictures(source: Any, names: list[str], folder: Path, track: JobTrack) -> None:
    """Write every picture small, named by its rank."""
    from flawline.core.drawing import thumbnail
    from flawline.data.stream import map_pictures
    from flawline.server.pictures import jpeg
    from flawline.types import Unjudged

    ranks = {name: rank for rank, name in enumerate(names, start=1)}
    samples = [sample for sample in source.samples() if sample.name in ranks]
    (folder / "small").mkdir(exist_ok=True)
    drawn = map_pictures(source, samples, lambda p: jpeg(thumbnail(p.pixels, SMALL)))
    for sample, data in track(drawn, title="drawing small pictures", total=len(samples)):
        if not isinstance(data, Unjudged):
            (folder / "small" / f"{ranks[sample.name]}.jpg").write_bytes(data)
