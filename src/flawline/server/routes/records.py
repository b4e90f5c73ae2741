"""Read records, their pictures and maps, and decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from flawline.data.part_files import scratch_folder
from flawline.data.process import PROCESS
from flawline.records.export import export_table, stream_csv
from flawline.records.record import StoredRecord, stored_as_dict
from flawline.records.where import Where
from flawline.server.access import Operator, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.nearest import nearest_good
from flawline.server.pictures import heat_png, picture_file
from flawline.server.search import parse_search
from flawline.server.state import ServerState
from flawline.server.tiles import tile
from flawline.types import Verdict

router = APIRouter(prefix="/api/records", tags=["records"])
MOST = 500
_PIECE = 1 << 20


class ReplayBody(BaseModel):
    """The hash of the recipe that is asked; the one that judged it if not given."""

    recipe: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


class DecisionBody(BaseModel):
    """A person's decision."""

    verdict: Verdict
    why: str = Field(min_length=1, max_length=2000)


@router.get("")
def list_records(
    state: State,
    _visitor: Viewer,
    q: Annotated[str, Query(max_length=500, description="Such as: lot:L7 verdict:reject")] = "",
    count: Annotated[int, Query(ge=1, le=MOST)] = 50,
    after: Annotated[str | None, Query(max_length=200)] = None,
    undecided: bool = False,
) -> dict[str, Any]:
    """List inspections that a search finds, the newest first."""
    page = state.store.page(parse_search(q, undecided=undecided), after=after, count=count)
    return {"records": [record_as_dict(kept) for kept in page.items], "next": page.next}


@router.get("/export", response_class=Response)
def export(
    state: State,
    visitor: Viewer,
    q: Annotated[str, Query(max_length=500, description="Such as: lot:L7 verdict:reject")] = "",
    table: Literal["inspections", "defects", "decisions"] = "inspections",
    form: Literal["csv", "parquet"] = "csv",
) -> Response:
    """Give a table of what a search finds, the oldest first, however many there are."""
    where = parse_search(q)
    headers = {"Content-Disposition": f'attachment; filename="{table}.{form}"'}
    note(state, visitor, "export", f"{table}: {q}")
    if form == "csv":
        pieces = stream_csv(state.store, table, where)
        return StreamingResponse(pieces, media_type="text/csv", headers=headers)
    return StreamingResponse(
        _parquet(state, table, where), media_type="application/vnd.apache.parquet", headers=headers
    )


@router.get("/{number}")
def show_record(number: int, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Show one inspection with its defects, measures and decisions."""
    return record_as_dict(state.store.get(number))


@router.post("/{number}/decisions", status_code=201)
def decide(number: int, body: DecisionBody, state: State, visitor: Operator) -> dict[str, Any]:
    """Add a decision in the name of whoever is signed in; the machine's verdict and earlier decisions stay."""
    state.store.decide(
        number, body.verdict, who=visitor.account.name, why=body.why, when=datetime.now(UTC)
    )
    note(state, visitor, f"decide {body.verdict}", f"inspection {number}")
    return record_as_dict(state.store.get(number))


@router.post("/{number}/replay")
async def judge_again(
    number: int, body: ReplayBody, state: State, _visitor: Operator
) -> dict[str, Any]:
    """Judge the kept picture again by a recipe, and say how its verdict differs; nothing is recorded."""
    return await state.queue.run(partial(_replayed, state, number, body.recipe))


@router.get("/{number}/picture", response_class=Response)
def picture(
    number: int,
    state: State,
    _visitor: Viewer,
    side: Annotated[int | None, Query(ge=32, le=4096)] = None,
) -> Response:
    """Give the picture of an inspection, upright, as JPEG; at most `side` pixels on the longer side."""
    kept = state.store.get(number)
    return _image(picture_file(state, _hash_of(kept, "picture"), side, kept), "image/jpeg")


@router.get("/{number}/tiles/{level}/{column}/{row}", response_class=Response)
def picture_tile(
    number: int, level: int, column: int, row: int, state: State, _visitor: Viewer
) -> Response:
    """Give a part of the picture as JPEG, 512 px on a side: level 0 is full size, each further one half of it."""
    kept = state.store.get(number)
    return _image(tile(state, _hash_of(kept, "picture"), kept, level, column, row), "image/jpeg")


@router.get("/{number}/nearest")
def nearest(number: int, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give the accepted part whose picture is most like this one, among the newest of the recipe; null without one."""
    found = nearest_good(state, state.store.get(number))
    return {"record": None if found is None else record_as_dict(found)}


@router.get("/{number}/heat", response_class=Response)
def heat(number: int, state: State, _visitor: Viewer) -> Response:
    """Give the heat map of an inspection as PNG, clear where nothing stands out."""
    kept = state.store.get(number)
    return _image(heat_png(state, _hash_of(kept, "map"), kept.record.recipe), "image/png")


def recipes_of(state: ServerState, kept: StoredRecord) -> list[dict[str, Any]]:
    """List the recipes that judged the product of an inspection, the newest first, and its own."""
    known: dict[str, dict[str, Any]] = {}
    if kept.record.product:
        for one in state.store.activations.history(kept.record.product):
            known.setdefault(
                one.recipe, {"recipe": one.recipe, "who": one.who, "since": one.time.isoformat()}
            )
    own = kept.record.recipe
    if own and own not in known and state.store.recipe_file(own) is not None:
        known[own] = {"recipe": own, "who": None, "since": None}
    return [{**one, "own": one["recipe"] == own} for one in known.values()]


def _replayed(state: ServerState, number: int, recipe: str | None) -> dict[str, Any]:
    from flawline.station.replay import replay
    from flawline.station.stored_recipe import stored_recipe

    used = None if recipe is None else stored_recipe(state.store, state.pictures, recipe)
    found = replay(state.store, state.pictures, number, used)
    return {
        "recipe": recipe or found.kept.record.recipe,
        "verdict": found.verdict,
        "score": found.score,
        "p_value": found.p_value,
        "defects": found.defects,
        "same": found.same,
        "differences": list(found.differences),
    }


def _parquet(state: ServerState, table: str, where: Where) -> Iterator[bytes]:
    """Write the table to a file and give it piece by piece."""
    with scratch_folder() as folder:
        path = export_table(state.store, table, folder / f"{table}.parquet", where)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def record_as_dict(kept: StoredRecord) -> dict[str, Any]:
    """Convert an inspection to plain values, None for what is not known, with what can be asked for of it."""
    return {
        **dict.fromkeys((*PROCESS, "captured", "size", "score", "p_value", "recipe", "spec")),
        "image": "",
        "reasons": (),
        "measures": {},
        **stored_as_dict(kept),
        "has_picture": kept.record.picture is not None,
        "has_heat": kept.record.map is not None,
    }


def _hash_of(kept: StoredRecord, name: Literal["picture", "map"]) -> str:
    found = getattr(kept.record, name)
    if found is None:
        raise ServerError(f"no {name} of inspection {kept.id} was kept", code="picture-missing")
    return str(found)


def _image(data: bytes, kind: str) -> Response:
    # The content of a record never changes.
    return Response(
        data, media_type=kind, headers={"Cache-Control": "private, max-age=86400, immutable"}
    )
