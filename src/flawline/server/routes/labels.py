"""Sets of pictures to label: make them, list their pictures, rename classes, train on them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from flawline.errors import FlawlineError
from flawline.jobs.label.label_set import LabelSet
from flawline.jobs.label.new_set import NewSet, set_of_folder, set_of_upload
from flawline.jobs.label.queue import QueueName, queue, queue_counts, row
from flawline.jobs.label.suspects import suspects_of_coco
from flawline.server.access import Engineer, Operator, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.label_export import zipped
from flawline.server.state import ServerState
from flawline.server.uploads import picture_bytes
from flawline.server.work.chosen_pictures import Files, FolderName, known_folder
from flawline.server.work.label_jobs import audit_work, training_work
from flawline.server.work.staging import staged

router = APIRouter(prefix="/api/labels", tags=["labels"])
MOST_AUDIT = 512 * 1024**2


class SetChange(BaseModel):
    """What is to change: the names of all classes, in their order; further ones may follow."""

    classes: list[str] = Field(min_length=1, max_length=254)


class TrainBody(BaseModel):
    """How long a training may take, and the part's name; that of the set if not given."""

    part: str = Field(default="", max_length=200)
    minutes: float = Field(default=10.0, gt=0, le=10_000)


class AuditBody(BaseModel):
    """How long an audit may take."""

    minutes: float = Field(default=10.0, gt=0, le=10_000)


@router.get("")
def list_sets(state: State, _visitor: Viewer) -> dict[str, Any]:
    """List the sets of pictures to label, the newest first, with how much of each is done."""
    return {"sets": [_summary(state, one) for one in state.labels.list()]}


@router.post("", status_code=201)
def make_set(
    state: State,
    visitor: Operator,
    files: Files = None,
    folder: FolderName = "",
    title: Annotated[str, Form(max_length=200)] = "",
    classes: Annotated[
        str, Form(max_length=20_000, description="Names of classes, one a line or with commas.")
    ] = "",
) -> dict[str, Any]:
    """Make a set of an upload or of a folder that the server knows; masks that it has are taken over."""
    if bool(files) == bool(folder):
        raise ServerError(
            "expected files or the name of a folder" + (", got both" if files else ", got neither"),
            hint="send pictures or one archive of them, or name a folder of the server",
            code="usage",
        )
    names = tuple(name.strip() for name in classes.replace("\n", ",").split(",") if name.strip())
    who = visitor.account.name
    if folder:
        place = known_folder(state, folder)
        make = partial(_of_folder, state, place)
        number = state.labels.make(title or folder, who, names, folder, make)
    else:
        assert files
        first = Path(files[0].filename or "pictures").stem
        usual = first if len(files) == 1 else f"{len(files)} pictures"
        with staged(state.jobs, files) as sent:
            make = partial(_of_upload, state, sent)
            number = state.labels.make(title or usual, who, names, "", make)
    made = state.labels.get(number)
    note(state, visitor, "make label set", made.settings.title)
    return show_set(number, state, visitor)


@router.get("/{number}")
def show_set(number: str, state: State, visitor: Viewer) -> dict[str, Any]:
    """Show a set: its classes, how many pictures wait in each queue, and the products that can propose masks."""
    store = state.labels.get(number)
    return {
        **store.settings.as_dict(),
        "counts": queue_counts(store, visitor.account.name),
        "products": list(state.products.names()),
    }


@router.patch("/{number}")
def change_set(number: str, body: SetChange, state: State, visitor: Operator) -> dict[str, Any]:
    """Rename classes and add further ones."""
    changed = state.labels.get(number).rename_classes(body.classes)
    note(state, visitor, "change label classes", f"{changed.title}: {', '.join(changed.classes)}")
    return show_set(number, state, visitor)


@router.delete("/{number}", status_code=204)
def remove_set(number: str, state: State, visitor: Engineer) -> None:
    """Put a set away; `restore` brings the last one back. Pictures and masks in a folder of the server stay."""
    title = state.labels.title(number)
    state.labels.remove(number)
    note(state, visitor, "remove label set", title)


@router.post("/{number}/restore")
def restore_set(number: str, state: State, visitor: Engineer) -> dict[str, Any]:
    """Bring the set back that was put away last."""
    state.labels.restore(number)
    note(state, visitor, "restore label set", state.labels.get(number).settings.title)
    return show_set(number, state, visitor)


@router.post("/{number}/refresh")
def refresh_set(number: str, state: State, visitor: Operator) -> dict[str, Any]:
    """List the pictures anew: some may have come to the folder."""
    state.labels.get(number).pictures.refresh()
    return show_set(number, state, visitor)


@router.get("/{number}/pictures")
def list_pictures(
    number: str,
    state: State,
    visitor: Viewer,
    in_queue: Annotated[QueueName, Query(alias="queue")] = "all",
    offset: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=500)] = 100,
    around: Annotated[
        str, Query(max_length=40, description="Also say at which place this key is.")
    ] = "",
) -> dict[str, Any]:
    """List pictures of a queue in its order; `place` is that of `around`, null where it is not in the queue."""
    store = state.labels.get(number)
    keys = queue(store, in_queue, visitor.account.name)
    return {
        "total": len(keys),
        "offset": offset,
        "place": keys.index(around) if around in keys else None,
        "pictures": [row(store, key) for key in keys[offset : offset + count]],
    }


@router.put("/{number}/suspects")
async def send_suspects(
    number: str,
    state: State,
    visitor: Operator,
    file: Annotated[
        UploadFile, File(description="label-audit-coco.json of `flawline audit-labels`.")
    ],
) -> dict[str, Any]:
    """Take over the suspicious places of an audit that was done elsewhere; those before go."""
    found = suspects_of_coco(await picture_bytes(file, MOST_AUDIT))
    count = state.labels.get(number).set_suspects(found)
    note(state, visitor, "send label audit", f"{count} places")
    return {"suspects": count, **show_set(number, state, visitor)}


@router.post("/{number}/audit", status_code=202)
def audit(number: str, body: AuditBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Look for masks that are wrong as a job, as `flawline audit-labels` does; needs the extra [train]."""
    store = state.labels.get(number)
    work = audit_work(store, body.minutes)
    title = store.settings.title
    job = state.jobs.start("audit", title, visitor.account.name, work)
    note(state, visitor, "audit labels", title)
    return job.as_dict()


@router.post("/{number}/train", status_code=202)
def train(number: str, body: TrainBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Train a segmenter on the finished masks as a job; needs the extra [train]."""
    store = state.labels.get(number)
    part = body.part or store.settings.title
    work = training_work(store, part, body.minutes)
    job = state.jobs.start("train", part, visitor.account.name, work)
    note(state, visitor, "train", f"{part} on masks")
    return job.as_dict()


@router.get("/{number}/finished", response_class=StreamingResponse)
def finished(number: str, state: State, _visitor: Viewer) -> StreamingResponse:
    """Give all finished masks as a zip: indexed PNG by the names of the pictures, and one COCO file."""
    store = state.labels.get(number)
    headers = {"Content-Disposition": 'attachment; filename="labels.zip"'}
    return StreamingResponse(zipped(store), media_type="application/zip", headers=headers)


def _summary(state: ServerState, one: LabelSet) -> dict[str, Any]:
    try:
        counts = queue_counts(state.labels.get(one.id), "")
    except FlawlineError as error:
        return {**one.as_dict(), "problem": error.message, "done": None, "pictures": None}
    return {**one.as_dict(), "problem": None, "done": counts["done"], "pictures": counts["all"]}


def _of_folder(state: ServerState, pictures: Path, wish: NewSet, folder: Path) -> LabelSet:
    return set_of_folder(wish, pictures, folder, state.limits)


def _of_upload(state: ServerState, sent: Path, wish: NewSet, folder: Path) -> LabelSet:
    files = list(sent.iterdir())
    source = files[0] if len(files) == 1 else sent
    return set_of_upload(wish, source, folder, state.limits)
