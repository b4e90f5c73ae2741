"""Ask for the progress of jobs, follow it, cancel and remove them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from flawline.server.access import Operator, State, Viewer, note
from flawline.server.work.runner import OVER, JobRunner

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
_BEAT_SECONDS = 10.0


@router.get("")
def list_jobs(state: State, _visitor: Viewer) -> dict[str, Any]:
    """List all jobs, the newest first."""
    return {"jobs": [job.as_dict() for job in state.jobs.list()]}


@router.get("/{number}")
def show_job(number: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Show a job with its progress and result."""
    return state.jobs.get(number).as_dict()


@router.get("/{number}/events")
async def follow_job(number: str, state: State, _visitor: Viewer) -> StreamingResponse:
    """Follow a job by server-sent events, one for every change, until it is over."""
    state.jobs.get(number)
    return StreamingResponse(_changes(state.jobs, number), media_type="text/event-stream")


@router.post("/{number}/cancel")
def cancel_job(number: str, state: State, visitor: Operator) -> dict[str, Any]:
    """Ask a job to stop."""
    job = state.jobs.cancel(number)
    note(state, visitor, "cancel job", job.title)
    return job.as_dict()


@router.delete("/{number}", status_code=204)
def remove_job(number: str, state: State, visitor: Operator) -> None:
    """Remove a job that is over, with its files."""
    title = state.jobs.get(number).title
    state.jobs.remove(number)
    note(state, visitor, "remove job", title)


async def _changes(jobs: JobRunner, number: str) -> AsyncIterator[str]:
    job = jobs.get(number)
    while True:
        yield f"data: {json.dumps(job.as_dict())}\n\n"
        if job.state in OVER:
            return
        # A beat in between keeps proxies from closing the connection.
        job = await asyncio.to_thread(jobs.wait, number, job, _BEAT_SECONDS)
