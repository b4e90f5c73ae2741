"""Show a sample lot to whoever has no pictures yet."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from flawline.server.access import Engineer, State, note
from flawline.server.work.sample_lot import start_sample

router = APIRouter(prefix="/api/sample", tags=["sample"])


@router.post("", status_code=202)
def make_sample(state: State, visitor: Engineer) -> dict[str, Any]:
    """Draw castings, learn and judge them, as a job: the line, records and rankings then show something."""
    job = start_sample(state, visitor.account.name)
    note(state, visitor, "sample lot")
    return job.as_dict()
