"""Ask a camera of this process for a picture."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Header

from flawline.server.access import Operator, State
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.station.stated_fields import stated_fields
from flawline.station.triggers import Triggers

router = APIRouter(prefix="/api", tags=["inspect"])
Text = Annotated[str | None, Form(max_length=200)]


@router.post("/trigger", status_code=202)
def trigger(
    state: State,
    _visitor: Operator,
    camera: Annotated[str, Form(max_length=2000)] = "",
    captured: Text = None,
    part: Text = None,
    station: Text = None,
    step: Text = None,
    product: Text = None,
    lot: Text = None,
    operator: Text = None,
    tool: Text = None,
    shift: Text = None,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, Any]:
    """Ask a camera of the station for a picture of a part; it is judged and recorded as other pictures are."""
    given = {
        "key": idempotency_key,
        "captured": captured,
        "part": part,
        "station": station,
        "step": step,
        "product": product,
        "lot": lot,
        "operator": operator,
        "tool": tool,
        "shift": shift,
    }
    name, asked = _camera(state, camera)
    fields = stated_fields((key, value) for key, value in given.items() if value)
    if not asked.ask(fields):
        raise ServerError(
            "too many triggers wait for a picture; this one is recorded as not judged",
            hint="trigger more slowly than the camera takes pictures",
            code="busy",
            retry_after=1,
        )
    return {"camera": name}


def _camera(state: ServerState, name: str) -> tuple[str, Triggers]:
    """Find a camera that may be asked; the only one where no name is given."""
    known = dict(state.triggers)
    if not name and len(known) == 1:
        return next(iter(known.items()))
    if name in known:
        return name, known[name]
    raise ServerError(
        f"there is no camera {name!r} that may be asked" if name else "name the camera",
        hint=f"cameras of the station with such a trigger: {', '.join(known) or 'none'}",
        code="camera-unknown",
    )
