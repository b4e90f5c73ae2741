"""The page of the line: what comes, and what is the matter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from flawline.server.access import State, Viewer
from flawline.server.page import PageViewer, places_of, render
from flawline.server.routes.records import record_as_dict
from flawline.server.state import ServerState
from flawline.station.line_summary import LAST, line_summary

router = APIRouter()
STRIP = 24
LOOK_SECONDS = 1.0


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def line(request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show the latest part, the strip of those before it, and what is the matter in a sentence."""
    shown = current(state)
    samples = [job.as_dict() for job in state.jobs.list("sample")[:1]]
    making = next((job for job in samples if job["state"] in ("waiting", "running")), None)
    if making or (not shown["records"] and not state.products.names()):
        failed = next((job for job in samples if job["state"] in ("failed", "cancelled")), None)
        label = any(place.address == "/label" for place in places_of(request, visitor))
        return render(request, "first_start.html", visitor, job=making, failed=failed, label=label)
    return render(request, "line.html", visitor, **shown)


@router.get("/api/line", tags=["records"])
def line_now(state: State, _visitor: Viewer) -> dict[str, Any]:
    """Give the latest inspections, counts of the last parts and open alerts."""
    return current(state)


@router.get("/api/line/events", tags=["records"])
async def line_events(request: Request, state: State, _visitor: Viewer) -> StreamingResponse:
    """Follow the line by server-sent events: one whenever inspections have come."""
    return StreamingResponse(_arrivals(request, state), media_type="text/event-stream")


def current(state: ServerState) -> dict[str, Any]:
    """Gather what the page of the line shows."""
    items = state.store.page(count=LAST).items
    summary = line_summary(items)
    alerts = state.store.alerts.list(only_open=True, count=5)
    return {
        "sentence": summary.sentence,
        "counts": dict(summary.counts),
        "records": [record_as_dict(kept) for kept in items[:STRIP]],
        "alerts": [{"key": one.alert.key, "text": one.alert.text} for one in alerts],
        "judging": state.queue.inside,
    }


async def _arrivals(request: Request, state: ServerState) -> AsyncIterator[str]:
    before = None
    while not await request.is_disconnected():
        now = await asyncio.to_thread(state.store.arrived)
        if now != before:
            yield f"data: {json.dumps(await asyncio.to_thread(current, state))}\n\n"
            before = now
        else:
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS)
