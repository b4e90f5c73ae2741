"""One picture of a set to label: the picture, its masks, and what helps to draw them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, File, Header, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from flawline.core.drawing import thumbnail
from flawline.core.labelling.two_masks import agreement
from flawline.core.labelling.wand import flood_region, grab_region
from flawline.jobs.label.label_store import LabelStore
from flawline.jobs.label.mask_png import grey_png
from flawline.jobs.label.queue import row
from flawline.jobs.label.suspects import suspects_of
from flawline.server.access import Operator, State, Viewer
from flawline.server.errors import ServerError
from flawline.server.label_regions import Region, proposed, region_as_dict
from flawline.server.pictures import jpeg
from flawline.server.uploads import picture_bytes

router = APIRouter(prefix="/api/labels/{number}/pictures/{key}", tags=["labels"])
MOST_MASK = 64 * 1024**2
_SMALL = 160
_WHO = Query(max_length=64, description="Whose mask: the one that counts if not given.")


class WandBody(BaseModel):
    """A click at (x, y), or a box (left, top, width, height) around something, px."""

    x: int = Field(default=0, ge=0, le=100_000)
    y: int = Field(default=0, ge=0, le=100_000)
    tolerance: int = Field(default=20, ge=0, le=255, description="Grey levels, for a click.")
    box: tuple[int, int, int, int] | None = Field(
        default=None, description="GrabCut inside this box, instead of a flood fill from (x, y)."
    )


@router.get("")
def show_picture(number: str, key: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Show what people have drawn on a picture: versions, who, when, pixels by class."""
    return _shown(state.labels.get(number), key)


@router.get("/image", response_class=Response)
def image(
    number: str,
    key: str,
    state: State,
    _visitor: Viewer,
    side: Annotated[int | None, Query(ge=16, le=_SMALL)] = None,
) -> Response:
    """Give the picture as JPEG, upright, in its own size; with `side` a small one."""
    store = state.labels.get(number)
    headers = {"Cache-Control": "private, max-age=600"}
    if side is None:
        return Response(jpeg(store.picture(key).pixels), media_type="image/jpeg", headers=headers)
    name = store.pictures.sample(key).name
    path = store.folder / "small" / f"{key}.jpg"
    if not path.is_file():
        from flawline.data.image import read_image
        from flawline.jobs.label.published import write_bytes

        data = store.pictures.source.read(name)
        picture = read_image(data, target=_SMALL, limits=state.limits)
        write_bytes(path, jpeg(thumbnail(picture.pixels, _SMALL)))
    return Response(path.read_bytes(), media_type="image/jpeg", headers=headers)


@router.get("/mask", response_class=Response)
def mask(
    number: str, key: str, state: State, _visitor: Viewer, who: Annotated[str, _WHO] = ""
) -> Response:
    """Give a mask as grey PNG, whose levels are the classes; its ETag is the version, "0" for none."""
    found, version = state.labels.get(number).mask(key, who)
    return Response(
        grey_png(found),
        media_type="image/png",
        headers={"ETag": f'"{version}"', "Cache-Control": "no-store"},
    )


@router.put("/mask", responses={409: {"description": "Somebody saved another version."}})
async def save_mask(
    number: str,
    key: str,
    state: State,
    visitor: Operator,
    mask: Annotated[UploadFile, File(description="PNG; grey levels or palette are classes.")],
    if_match: Annotated[str, Header(max_length=20, description="The version drawn on.")],
    done: bool = False,
    own: Annotated[
        bool, Query(description="A second opinion: the mask that counts stays as it is.")
    ] = False,
) -> dict[str, Any]:
    """Save a mask; `done` finishes it, which writes it beside the pictures."""
    base = if_match.strip('"')
    if not base.isdecimal():
        raise ServerError(
            f"expected a version as If-Match, got {if_match[:20]!r}",
            hint="send the ETag of the mask that was drawn on",
            code="usage",
        )
    data = await picture_bytes(mask, MOST_MASK)
    store = state.labels.get(number)
    who = visitor.account.name

    def work() -> None:
        try:
            store.save(key, data, who=who, base=int(base), done=done, own=own)
        except OSError as error:
            raise ServerError(
                f"the mask could not be written: {error.strerror or error}",
                hint="the draft is kept; ask an admin for room and rights where the pictures are",
                code="label-write",
            ) from error

    await state.queue.run(work)
    return _shown(store, key)


@router.get("/comparison")
def compare(
    number: str,
    key: str,
    state: State,
    _visitor: Viewer,
    one: Annotated[str, _WHO] = "",
    other: Annotated[str, _WHO] = "",
) -> dict[str, Any]:
    """Compare the masks of two people: intersection over union of all defects and by class, pixels of one alone."""
    store = state.labels.get(number)
    classes = store.settings.classes
    found = agreement(store.mask(key, one)[0], store.mask(key, other)[0], len(classes) + 1)
    return {
        "iou": found.iou,
        "by_class": dict(zip(classes, found.by_class, strict=True)),
        "one_only": found.one,
        "other_only": found.other,
        "both": found.both,
        "renamed": found.renamed,
    }


@router.post("/wand")
async def wand(
    number: str, key: str, body: WandBody, state: State, _visitor: Operator
) -> dict[str, Any]:
    """Find what a click or a box means: even pixels around a click, or what stands out in a box."""
    store = state.labels.get(number)

    def work() -> Region | None:
        pixels = store.picture(key).pixels
        if body.box is not None:
            return grab_region(pixels, body.box)
        return flood_region(pixels, body.x, body.y, body.tolerance)

    found = await state.queue.run(work)
    return {"region": None if found is None else region_as_dict(*found)}


@router.post("/proposals")
async def proposals(
    number: str,
    key: str,
    state: State,
    _visitor: Operator,
    product: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """Let the recipe of a product propose regions; one of no class of the set has the class null."""
    store = state.labels.get(number)
    found = await state.queue.run(partial(proposed, state, product, store, key))
    return {"regions": found}


@router.get("/suspects")
def suspects(number: str, key: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give the places of the mask that an audit holds for wrong."""
    store = state.labels.get(number)
    entries = store.suspects.get(store.pictures.sample(key).name, [])
    names = ("background", *store.settings.classes)
    return {
        "regions": [
            {
                **region_as_dict(one.piece.box, one.piece.pixels),
                "class": names.index(one.seen) if one.seen in names else None,
                "label": one.seen,
                "given": one.given,
                "kind": one.kind,
                "score": one.score,
            }
            for one in suspects_of(entries, store.size(key))
        ]
    }


@router.delete("/suspects", status_code=204)
def settle_suspects(number: str, key: str, state: State, _visitor: Operator) -> None:
    """Take the suspicious places of a picture off the queue: somebody has looked at them."""
    state.labels.get(number).settle_suspects(key)


def _shown(store: LabelStore, key: str) -> dict[str, Any]:
    label = store.label(key)
    return {
        **row(store, key),
        "saved": None if label.saved is None else label.saved.as_dict(),
        "first": label.first,
        "opinions": {who: one.as_dict() for who, one in sorted(label.opinions.items())},
        "settled": label.settled,
    }
