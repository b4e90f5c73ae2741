"""List alerts of watched charts, and acknowledge them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from flawline.records.alerts import alert_as_dict
from flawline.server.access import Operator, State, Viewer, note

router = APIRouter(prefix="/api/alerts", tags=["alerts"])


class AcknowledgementBody(BaseModel):
    """That somebody has seen an alert, and what was found."""

    key: str = Field(max_length=500)
    note: str = Field(default="", max_length=2000)


@router.get("")
def list_alerts(
    state: State,
    _visitor: Viewer,
    only_open: bool = False,
    count: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List alerts, the latest first."""
    found = state.store.alerts.list(only_open=only_open, count=count)
    return {"alerts": [alert_as_dict(one) for one in found]}


@router.post("/acknowledgements", status_code=201)
def acknowledge(body: AcknowledgementBody, state: State, visitor: Operator) -> dict[str, Any]:
    """Acknowledge an alert in the name of whoever is signed in."""
    seen = state.store.alerts.acknowledge(
        body.key, who=visitor.account.name, note=body.note, when=datetime.now(UTC)
    )
    note(state, visitor, "acknowledge alert", body.key)
    return alert_as_dict(seen)
