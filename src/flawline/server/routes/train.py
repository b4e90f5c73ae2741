"""Train recipes as jobs, look at what came of it, and activate them."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from flawline.data.source import Source, open_source
from flawline.recipe import read_recipe
from flawline.server.access import Engineer, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.server.uploads import safe_name
from flawline.server.work.runner import JobTrack
from flawline.server.work.staging import moved, staged

router = APIRouter(prefix="/api/train", tags=["train"])


class ProductBody(BaseModel):
    """The product that a recipe is to judge; that of the recipe if not given."""

    product: str = Field(default="", max_length=200)


@router.post("", status_code=202)
def start_training(
    state: State,
    visitor: Engineer,
    files: Annotated[
        list[UploadFile],
        File(description="Pictures of good parts, or one archive of good/ and bad/."),
    ],
    part: Annotated[str, Form(max_length=200)] = "",
) -> dict[str, Any]:
    """Learn from pictures of good parts, as `flawline train anomaly` does, as a job."""
    first = safe_name(files[0].filename or "", 0)
    title = part or (f"{len(files)} pictures" if len(files) > 1 else first)
    with staged(state.jobs, files) as sent:
        work = partial(_train_upload, sent, part)
        job = state.jobs.start("train", title, visitor.account.name, work)
    note(state, visitor, "train", title)
    return job.as_dict()


@router.get("/{number}/report", response_class=HTMLResponse)
def report(number: str, state: State, _visitor: Viewer) -> HTMLResponse:
    """Give the report of a training, one HTML page."""
    return HTMLResponse((trained(state, number) / "recipe.html").read_text("utf-8"))


@router.post("/{number}/activate")
def activate(number: str, body: ProductBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Let the trained recipe judge its product from now on."""
    recipe = read_recipe(trained(state, number) / "recipe.flaw")
    product = body.product.strip() or recipe.settings.part
    state.products.activate(product, recipe, visitor.account.name)
    note(state, visitor, "activate recipe", f"{product}: {recipe.sha256[:12]}")
    return {"product": product, "recipe": recipe.sha256}


def trained(state: ServerState, number: str) -> Path:
    """Name the folder of a training that is done; ServerError where it is not."""
    job = state.jobs.get(number)
    if job.kind != "train" or job.state != "done":
        raise ServerError(f"the training {number[:40]!r} is not done", code="not-found")
    return state.jobs.place(number)


def _train_upload(sent: Path, part: str, track: JobTrack, folder: Path) -> dict[str, Any]:
    place = moved(sent, folder)
    with open_source(place) as source:
        result = train_source(source, part or place.stem, track, folder)
    shutil.rmtree(folder / "pictures")
    return result


def train_source(source: Source, part: str, track: JobTrack, folder: Path) -> dict[str, Any]:
    """Train on an open source; writes recipe.flaw and recipe.html into the folder, and returns the verdict."""
    from flawline.api.train import train_anomaly
    from flawline.jobs.train.training_pictures import write_training_report
    from flawline.jobs.train.training_verdict import training_verdict
    from flawline.recipe import write_recipe

    found = train_anomaly(source, part=part, track=track)
    write_recipe(found.recipe, folder / "recipe.flaw")
    write_training_report(found, source, folder / "recipe.html")
    verdict = training_verdict(found)
    return {
        "part": part,
        "recipe": found.recipe.sha256,
        "verdict": verdict.text,
        "usable": verdict.usable,
        "messages": list(found.messages),
        "unjudged": [item.as_dict() for item in found.unjudged],
    }
