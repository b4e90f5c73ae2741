"""Judge pictures: one at once, or many in the background."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, UploadFile

from flawline.data.frame import Frame
from flawline.data.source import open_source
from flawline.data.times import parse_time
from flawline.errors import FlawlineError
from flawline.inspector.inspection import Inspection
from flawline.server.access import Operator, State, note
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.server.uploads import picture_bytes, safe_name
from flawline.server.work.runner import JobTrack
from flawline.server.work.staging import moved, staged
from flawline.types import Unjudged

router = APIRouter(prefix="/api", tags=["inspect"])
Text = Annotated[str | None, Form(max_length=200)]


@router.post("/inspect")
async def inspect(
    state: State,
    _visitor: Operator,
    picture: Annotated[UploadFile, File(description="A picture file.")],
    product: Annotated[str, Form(max_length=200)] = "",
    name: Text = None,
    captured: Text = None,
    part: Text = None,
    station: Text = None,
    step: Text = None,
    lot: Text = None,
    operator: Text = None,
    tool: Text = None,
    shift: Text = None,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, Any]:
    """Judge a picture and record it; a picture that is sent again under one Idempotency-Key is recorded once."""
    data = await picture_bytes(picture, state.settings.most_picture)
    names: dict[str, Any] = {
        "part": part,
        "station": station,
        "step": step,
        "lot": lot,
        "operator": operator,
        "tool": tool,
        "shift": shift,
    }
    frame = Frame(
        data,
        name or safe_name(picture.filename or "picture", 0),
        None if captured is None else parse_time(captured),
        key=idempotency_key,
        **{key: value for key, value in names.items() if value},
    )
    state.products.get(product)
    try:
        found, used = await state.queue.run(partial(judge, state, product, frame))
    except ServerError as error:
        if error.code == "busy":
            state.metrics.refused()
        raise
    return {"product": used, **found.as_dict()}


def judge(state: ServerState, product: str, frame: Frame) -> tuple[Inspection, str]:
    """Judge and record a frame, and count it; returns the inspection and the product's name."""
    with state.products.using(product) as used:
        try:
            found = used.station.inspect(frame)
        except FlawlineError:
            state.metrics.unjudged(used.name)
            raise
        state.metrics.judged(used.name, found.verdict, found.timings)
        return found, used.name


@router.post("/inspect/many", status_code=202)
def inspect_many(
    state: State,
    visitor: Operator,
    files: Annotated[list[UploadFile], File(description="Pictures, or one archive of them.")],
    product: Annotated[str, Form(max_length=200)] = "",
    lot: Text = None,
    station: Text = None,
) -> dict[str, Any]:
    """Judge and record many pictures as a job; `/api/jobs/ID` tells its progress."""
    chosen = state.products.get(product)
    constant = {name: value for name, value in (("lot", lot), ("station", station)) if value}
    title = f"{len(files)} files" if len(files) > 1 else safe_name(files[0].filename or "", 0)
    with staged(state.jobs, files) as sent:
        job = state.jobs.start(
            "inspect",
            title,
            visitor.account.name,
            partial(_judge_many, state, chosen.name, sent, constant),
        )
    note(state, visitor, "judge many", f"{title} as {chosen.name}")
    return job.as_dict()


def _judge_many(
    state: ServerState,
    product: str,
    sent: Path,
    constant: dict[str, str],
    track: JobTrack,
    folder: Path,
) -> dict[str, Any]:
    """Judge the pictures of an upload; returns counts, and what could not be judged."""
    from flawline.data.frame import frame_of

    counts = {"accept": 0, "review": 0, "reject": 0}
    unjudged: list[dict[str, str]] = []
    place = moved(sent, folder)
    with open_source(place) as source, state.products.using(product) as used:
        samples = list(source.samples())
        feed = (frame_of(sample, partial(source.read, sample.name), constant) for sample in samples)
        results = used.station.run(feed)
        for frame, result in track(results, title="judging", total=len(samples)):
            if isinstance(result, Unjudged):
                state.metrics.unjudged(used.name)
                unjudged.append({"image": frame.name, "reason": result.reason})
            else:
                state.metrics.judged(used.name, result.verdict, result.timings)
                counts[result.verdict] += 1
        used.station.flush()
    return {"product": product, "counts": counts, "unjudged": unjudged}
