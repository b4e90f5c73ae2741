"""Chart records, and enter causes, points to set aside, stages and frozen limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from flawline.core.spc.limits import LONGEST_SPAN, check_kind, limits_as_dict
from flawline.errors import UsageError
from flawline.jobs.chart.causes import causes_document
from flawline.jobs.chart.record_chart import (
    LAST,
    MOST,
    RULES,
    ChartChoice,
    RecordChart,
    estimated_limits,
)
from flawline.jobs.chart.record_chart_document import overview_document, record_chart_document
from flawline.records.chart_entries import ChartEntry, EntryKind, entry_as_dict
from flawline.server.access import Engineer, Operator, State, Viewer, Visitor, note
from flawline.server.errors import ServerError
from flawline.server.search import parse_search
from flawline.server.state import ServerState

router = APIRouter(prefix="/api", tags=["charts"])
MOST_SHOWN = 60
Measure = Annotated[str, Query(min_length=1, max_length=200)]
Word = Annotated[str | None, Query(max_length=100)]


def chart_choice(
    q: Annotated[str, Query(max_length=500, description="Such as: product:casting lot:L7")] = "",
    chart: Annotated[
        str, Query(max_length=20, description="Empty for the usual chart of a measure.")
    ] = "",
    by: Word = None,
    every: Annotated[int | None, Query(ge=2, le=1000)] = None,
    rules: Annotated[str, Query(max_length=100)] = RULES,
    last: Annotated[int, Query(ge=2, le=MOST)] = LAST,
    span: Annotated[
        int, Query(ge=2, le=LONGEST_SPAN, description="Points of a moving average.")
    ] = 3,
    product_sigma: Annotated[
        str, Query(max_length=20, description="On z-mr: by-product, constant or relative.")
    ] = "by-product",
) -> ChartChoice:
    """Gather which chart is asked for."""
    kind = check_kind(chart) if chart else ""
    # What only one chart takes does not make another address of the others.
    return ChartChoice(
        parse_search(q),
        kind,
        by or None,
        every,
        rules,
        last,
        span if kind == "ma" else 3,
        product_sigma if kind == "z-mr" else "by-product",
    )


Choice = Annotated[ChartChoice, Depends(chart_choice)]


class EntryBody(BaseModel):
    """What is entered, on which chart."""

    measure: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=500)
    inspection: int | None = Field(default=None, ge=1, le=2**53)
    q: str = Field(default="", max_length=500)
    chart: str = Field(default="", max_length=20)
    by: str | None = Field(default=None, max_length=100)
    every: int | None = Field(default=None, ge=2, le=1000)
    rules: str = Field(default=RULES, max_length=100)
    last: int = Field(default=LAST, ge=2, le=MOST)
    span: int = Field(default=3, ge=2, le=LONGEST_SPAN)
    product_sigma: str = Field(default="by-product", max_length=20)

    def choice(self) -> ChartChoice:
        """Which chart it is."""
        return chart_choice(
            self.q,
            self.chart,
            self.by,
            self.every,
            self.rules,
            self.last,
            self.span,
            self.product_sigma,
        )


class ChangeBody(EntryBody):
    """A change of how points are judged."""

    kind: Literal["set aside", "stage", "limits"]


@router.get("/charts")
def list_charts(state: State, _visitor: Viewer, choice: Choice) -> dict[str, Any]:
    """Chart every measure of the last inspections; those with signals first."""
    return overview_document(state.charts.overview(choice))


@router.get("/charts/chart")
def show_chart(state: State, _visitor: Viewer, choice: Choice, measure: Measure) -> dict[str, Any]:
    """Give one chart: points with their inspections, limits, signals, and what was entered."""
    return record_chart_document(state.charts.chart(choice, measure))


@router.get("/charts/point")
def show_point(
    state: State,
    _visitor: Viewer,
    choice: Choice,
    measure: Measure,
    inspection: Annotated[int, Query(ge=1, le=2**53)],
) -> dict[str, Any]:
    """Give the inspections behind the point of one of them, and those of the points beside it."""
    found = state.charts.chart(choice, measure)
    return point_of(state, found, inspection)


@router.get("/charts/causes")
def list_causes(state: State, _visitor: Viewer) -> dict[str, Any]:
    """Count the causes that people entered, the most frequent first."""
    return causes_document(state.store)


@router.get("/series")
def show_series(
    state: State,
    _visitor: Viewer,
    measure: Measure,
    q: Annotated[str, Query(max_length=500)] = "",
    last: Annotated[int, Query(ge=1, le=MOST)] = LAST,
) -> dict[str, Any]:
    """Give a measure of the last inspections in the order of time, as columns."""
    from dataclasses import replace

    where = parse_search(q)
    since = state.store.nth_newest(where, last)
    chosen = where if since is None else replace(where, since=since)
    return {"measure": measure, **state.store.columns(measure, chosen, ["id"])}


@router.post("/charts/notes", status_code=201)
def add_note(body: EntryBody, state: State, visitor: Operator) -> dict[str, Any]:
    """Note the cause of a point in the name of whoever is signed in."""
    return entry_as_dict(_add(state, visitor, body, "note"))


@router.post("/charts/entries", status_code=201)
def add_entry(body: ChangeBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Set a point aside, begin a stage at a point, or freeze the limits as they are now."""
    return entry_as_dict(_add(state, visitor, body, body.kind))


@router.post("/charts/entries/{number}/undo")
def undo_entry(number: int, state: State, visitor: Operator) -> dict[str, Any]:
    """Take an entry back; it stays with who did so. All but notes take the rights of engineer."""
    entry = state.store.charts.get(number)
    if entry.kind != "note" and not visitor.may("engineer"):
        raise ServerError(
            f"this takes the rights of engineer, and {visitor.account.name} has those of {visitor.role}",
            hint="an admin can change the role",
            code="rights",
        )
    undone = state.store.charts.undo(number, who=visitor.account.name, when=datetime.now(UTC))
    note(state, visitor, f"take back {entry.kind}", f"{entry.series}: {entry.text}")
    return entry_as_dict(undone)


def point_of(state: ServerState, found: RecordChart, inspection: int) -> dict[str, Any]:
    """Gather what is behind a point: its inspections, value, rules and entries, and the points beside it.

    Raises:
        ServerError: ("not-found") the chart has no point of this inspection.
    """
    from flawline.server.routes.records import record_as_dict

    place = found.stored.point_of(inspection)
    if place is None:
        raise ServerError(
            f"inspection {inspection} is not among the points of this chart",
            hint="chart more of the last inspections, or others",
            code="not-found",
        )
    ids = found.stored.ids
    beside = range(max(place - 3, 0), min(place + 4, len(ids)))
    shown = {
        number: record_as_dict(state.store.get(number))
        for number in (*ids[place][:MOST_SHOWN], *(ids[near][0] for near in beside))
    }
    document = record_chart_document(found)
    own = set(ids[place])
    return {
        **document["points"][place],
        "place": place,
        "records": [shown[number] for number in ids[place][:MOST_SHOWN]],
        "beside": [{"place": near, "record": shown[ids[near][0]]} for near in beside],
        "signals": [one for one in document["signals"] if place in one["points"]],
        "entries": [one for one in document["entries"] if one["inspection"] in own],
    }


def _add(state: ServerState, visitor: Visitor, body: EntryBody, kind: EntryKind) -> ChartEntry:
    choice = body.choice()
    found = state.charts.chart(choice, body.measure)
    limits, about = None, body.inspection
    if kind == "limits":
        limits, about = limits_as_dict(estimated_limits(found)), None
    elif about is None:
        raise UsageError(
            "expected the inspection of a point", hint="name the inspection whose point it is"
        )
    else:
        place = found.stored.point_of(about)
        if place is None:
            raise UsageError(f"inspection {about} is not among the points of this chart")
        # A point has the same first inspection on every chart of its series.
        about = found.stored.ids[place][0]
    entry = state.store.charts.add(
        choice.name(body.measure),
        kind,
        body.text,
        who=visitor.account.name,
        when=datetime.now(UTC),
        inspection=about,
        limits=limits,
    )
    note(state, visitor, f"chart: {kind}", f"{entry.series}: {entry.text}")
    return entry
