"""Train recipes as jobs, look at what came of it, and activate them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from fastapi.responses import FileResponse, HTMLResponse, Response
from pydantic import BaseModel, Field

from flawline.recipe import read_recipe
from flawline.server.access import Engineer, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.products import check_product
from flawline.server.routes.recipes import Before, before_of
from flawline.server.state import ServerState
from flawline.server.work.chosen_pictures import Files, FolderName, chosen
from flawline.server.work.runner import OVER
from flawline.server.work.training_job import (
    EVIDENCE,
    EXAMPLES,
    TrainingWish,
    training_again,
    upload_training,
)

router = APIRouter(prefix="/api/train", tags=["train"])


class ProductBody(BaseModel):
    """The product that a recipe is to judge; that of the recipe if not given."""

    product: str = Field(default="", max_length=200)


@router.post("", status_code=202)
def start_training(
    state: State,
    visitor: Engineer,
    files: Files = None,
    folder: FolderName = "",
    part: Annotated[str, Form(max_length=200)] = "",
    kind: Annotated[Literal["good", "masks"], Form()] = "good",
    effort: Annotated[Literal["none", "quick", "normal", "thorough"], Form()] = "normal",
    minutes: Annotated[float | None, Form(gt=0, le=10_000)] = None,
) -> dict[str, Any]:
    """Train a recipe as a job, on good parts or on masks of defects, as `flawline train` does."""
    if part:
        check_product(part)
    with chosen(state, files, folder) as pictures:
        title = part or pictures.title
        wish = TrainingWish(part, kind, effort, minutes)
        work = partial(upload_training, pictures.take, wish)
        job = state.jobs.start("train", title, visitor.account.name, work)
    note(state, visitor, "train", title)
    return job.as_dict()


@router.post("/{number}/again", status_code=202)
def train_again(number: str, state: State, visitor: Engineer) -> dict[str, Any]:
    """Do a training that failed or was cancelled once more; one on masks goes on where it was."""
    old = state.jobs.get(number)
    if old.kind != "train" or old.state not in OVER or old.state == "done":
        raise ServerError(
            f"there is no training {number[:40]!r} that failed or was cancelled", code="not-found"
        )
    work = training_again(state.jobs.place(number))
    job = state.jobs.start("train", old.title, visitor.account.name, work)
    note(state, visitor, "train again", old.title)
    return job.as_dict()


@router.get("/{number}/report", response_class=HTMLResponse)
def report(number: str, state: State, _visitor: Viewer) -> HTMLResponse:
    """Give the report of a training, one HTML page."""
    return HTMLResponse((trained(state, number) / "recipe.html").read_text("utf-8"))


@router.get("/{number}/examples/{epoch}", response_class=Response)
def example(number: str, epoch: int, state: State, _visitor: Viewer) -> Response:
    """Give what the segmenter of an epoch marks on pictures that it did not learn from, as JPEG."""
    job = state.jobs.get(number)
    path = state.jobs.place(number) / EXAMPLES / f"{epoch}.jpg"
    if job.kind != "train" or not path.is_file():
        raise ServerError(f"there are no examples of epoch {epoch}", code="not-found")
    return FileResponse(path, media_type="image/jpeg")


@router.post("/{number}/activate")
def activate(number: str, body: ProductBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Let the trained recipe judge its product from now on; `before` is what judged it so far."""
    place = trained(state, number)
    recipe = read_recipe(place / "recipe.flaw")
    product = body.product.strip() or recipe.settings.part
    before: Before = before_of(state, product)
    state.products.activate(product, recipe, visitor.account.name)
    state.evidence.keep(recipe.sha256, place / EVIDENCE)
    note(state, visitor, "activate recipe", f"{product}: {recipe.sha256[:12]}")
    return {"product": product, "recipe": recipe.sha256, "before": before}


def trained(state: ServerState, number: str) -> Path:
    """Name the folder of a training that is done; ServerError where it is not."""
    job = state.jobs.get(number)
    if job.kind != "train" or job.state != "done":
        raise ServerError(f"the training {number[:40]!r} is not done", code="not-found")
    return state.jobs.place(number)
