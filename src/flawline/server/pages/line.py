"""The page of the line: what comes, and what is the matter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from flawline.records.record import StoredRecord
from flawline.records.where import Where
from flawline.server.access import State, Viewer
from flawline.server.page import PageViewer, places_of, render
from flawline.server.pictures import limits_of
from flawline.server.routes.records import record_as_dict
from flawline.server.state import ServerState
from flawline.station.line_chart import line_chart
from flawline.station.line_summary import LAST, line_summary

router = APIRouter()
STRIP = 24
HOURS = 12
Station = Annotated[str, Query(max_length=200, description="One station; all if not given.")]
LOOK_SECONDS = 1.0


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def line(
    request: Request,
    state: State,
    visitor: PageViewer,
    station: Station = "",
    wall: bool = False,
) -> HTMLResponse:
    """Show the latest part, the strip of those before it, and what is the matter in a sentence."""
    items = state.store.page(_of(station), count=LAST).items
    shown = summed_up(state, items)
    samples = [job.as_dict() for job in state.jobs.list("sample")[:1]]
    making = next((job for job in samples if job["state"] in ("waiting", "running")), None)
    if making or (not shown["records"] and not state.products.names()):
        failed = next((job for job in samples if job["state"] in ("failed", "cancelled")), None)
        label = any(place.address == "/label" for place in places_of(request, visitor))
        return render(request, "first_start.html", visitor, job=making, failed=failed, label=label)
    drawn = drawing(state, items, station)
    return render(request, "line.html", visitor, **shown, **drawn, station=station, wall=wall)


@router.get("/api/line", tags=["records"])
def line_now(state: State, _visitor: Viewer, station: Station = "") -> dict[str, Any]:
    """Give the latest inspections, counts of the last parts and open alerts."""
    return current(state, station)


@router.get("/api/line/events", tags=["records"])
async def line_events(
    request: Request, state: State, _visitor: Viewer, station: Station = ""
) -> StreamingResponse:
    """Follow the line by server-sent events: one whenever inspections have come."""
    return StreamingResponse(_arrivals(request, state, station), media_type="text/event-stream")


def current(state: ServerState, station: str = "") -> dict[str, Any]:
    """Gather what the page of the line shows; of all stations where none is named."""
    return summed_up(state, state.store.page(_of(station), count=LAST).items)


def summed_up(state: ServerState, items: Sequence[StoredRecord]) -> dict[str, Any]:
    """Sum up the last inspections, the newest first, and the open alerts."""
    alerts = state.store.alerts.list(only_open=True, count=5)
    summary = line_summary(items, [one.alert for one in alerts])
    return {
        "sentence": summary.sentence,
        "counts": dict(summary.counts),
        "records": [record_as_dict(kept) for kept in items[:STRIP]],
        "alerts": [
            {
                "key": one.alert.key,
                "text": one.alert.text,
                "meaning": one.alert.meaning,
                "action": one.alert.action,
                "inspection": one.alert.inspection,
            }
            for one in alerts
        ],
        "judging": state.queue.inside,
    }


def drawing(state: ServerState, items: Sequence[StoredRecord], station: str) -> dict[str, Any]:
    """Gather the drawings of the page: yield by the hour, and the last scores with the limits of their recipe."""
    if not items:
        return {"hours": (), "chart": None}
    newest = items[0].record
    same = [kept for kept in items if kept.record.recipe == newest.recipe]
    hours = state.store.hours(newest.captured or newest.judged, _of(station), count=HOURS)
    return {"hours": hours, "chart": line_chart(same, limits_of(state, newest.recipe))}


def _of(station: str) -> Where:
    return Where(names={"station": station} if station else {})


async def _arrivals(request: Request, state: ServerState, station: str) -> AsyncIterator[str]:
    before = None
    while not await request.is_disconnected():
        now = await asyncio.to_thread(state.store.arrived)
        if now != before:
            yield f"data: {json.dumps(await asyncio.to_thread(current, state, station))}\n\n"
            before = now
        else:
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS)
