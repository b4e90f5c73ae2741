"""The pages of control charts: all measures small, or one large with the pictures behind its points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from flawline.core.spc.limits import KINDS
from flawline.core.spc.product_levels import PRODUCT_SIGMAS
from flawline.data.process import DIMENSIONS
from flawline.jobs.chart.causes import causes_document
from flawline.jobs.chart.limits_table import limits_table
from flawline.jobs.chart.plot import MOST_CIRCLES, plot_chart, plot_panel, time_ticks
from flawline.jobs.chart.record_chart import LAST, RULES, RecordChart
from flawline.jobs.chart.record_chart_document import record_chart_document
from flawline.jobs.chart.short_runs import MOST_RUNS, product_runs
from flawline.records.alerts import alert_as_dict
from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.page import PageViewer, render
from flawline.server.routes.charts import Choice, point_of
from flawline.server.state import ServerState

router = APIRouter(include_in_schema=False)
USUAL = {
    "q": "",
    "chart": "",
    "by": "",
    "every": "",
    "rules": RULES,
    "last": str(LAST),
    "span": "3",
    "product_sigma": "by-product",
}
"""What an address leaves out."""


@router.get("/control", response_class=HTMLResponse)
def control(request: Request, state: State, visitor: PageViewer, choice: Choice) -> HTMLResponse:
    """Show a small chart of every measure, those with signals first, open alerts and causes."""
    found = state.charts.overview(choice)
    asked = _asked(request)
    alerts = state.store.alerts.list(only_open=True, count=20)
    return render(
        request,
        "control.html",
        visitor,
        found=found,
        cards=[_card(one) for one in found.charts],
        asked=asked,
        address=_addresses(asked),
        products=state.store.names("product"),
        alerts=[alert_as_dict(one) for one in alerts],
        causes=causes_document(state.store),
        **_choices(),
    )


@router.get("/control/chart", response_class=HTMLResponse)
def chart(
    request: Request,
    state: State,
    visitor: PageViewer,
    choice: Choice,
    measure: Annotated[str, Query(min_length=1, max_length=200)],
    point: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    zones: bool = False,
) -> HTMLResponse:
    """Show one chart large; `point` is an inspection, whose pictures are shown below."""
    found = state.charts.chart(choice, measure)
    asked = _asked(request)
    document = record_chart_document(found)
    series = state.store.alerts.list(only_open=True, series=found.stored.name, count=20)
    return render(
        request,
        "control_chart.html",
        visitor,
        found=document,
        measure=measure,
        plots=plot_chart(found.chart),
        times=time_ticks(found.stored.times),
        stages=limits_table(found.chart),
        starts=_starts(found),
        every_circle=len(found.stored.ids) <= MOST_CIRCLES,
        ids=[own[0] for own in found.stored.ids],
        zones=zones,
        asked=asked,
        address=_addresses({**asked, "measure": measure, **({"zones": "true"} if zones else {})}),
        overview=_addresses(asked)("/control"),
        alerts=[alert_as_dict(one) for one in series],
        capability=_last_capability(state, measure, asked["q"]),
        causes=[bar["name"] for bar in causes_document(state.store)["bars"]],
        **_shown_point(state, found, point),
        **_choices(),
    )


def _shown_point(state: ServerState, found: RecordChart, point: int | None) -> dict[str, Any]:
    """Gather the point that is looked at: the one that is asked for, else that of the first open signal."""
    if point is None and found.first_open is not None:
        point = found.stored.ids[found.first_open.triggered][0]
    if point is None:
        return {"point": None, "problem": ""}
    try:
        return {"point": point_of(state, found, point), "problem": ""}
    except ServerError as error:
        return {"point": None, "problem": f"{error.message}: {error.hint}"}


def _last_capability(state: ServerState, measure: str, q: str) -> dict[str, Any] | None:
    """Return the last study of the capability of a measure of these parts."""
    for job in state.jobs.list("study"):
        result = job.result or {}
        same = result.get("study") == "capability" and result.get("q") == q
        if same and result["settings"].get("measure") == measure:
            return job.as_dict()
    return None


def _starts(found: RecordChart) -> list[dict[str, Any]]:
    """Place the beginnings of stages, or of runs of products, in percent of the width."""
    stages, count = found.chart.stages, len(found.stored.ids)
    spans = [(stage.name, stage.first) for stage in stages if stage.name]
    if not spans:
        runs = product_runs(found.chart.series)
        spans = [(name, first) for name, first, _ in runs if len(runs) <= MOST_RUNS]
    return [{"name": name, "x": round(100 * first / count, 2)} for name, first in spans]


def _card(found: RecordChart) -> dict[str, Any]:
    """Show the panel with the first signal."""
    first = found.first_open
    row = 0 if first is None else found.chart.panel_names.index(first.panel)
    return {
        "measure": found.stored.series.measure,
        "finding": found.finding,
        "open": len(found.open),
        "frozen": found.frozen is not None,
        "plot": plot_panel(found.chart, row),
        "panel": found.chart.panel_names[row] if row else "",
    }


def _choices() -> dict[str, Any]:
    return {"kinds": KINDS, "dimensions": DIMENSIONS, "product_sigmas": PRODUCT_SIGMAS}


def _asked(request: Request) -> dict[str, str]:
    """Return what the address says of the chart, with what is usual where it says nothing."""
    return {name: request.query_params.get(name) or usual for name, usual in USUAL.items()}


def _addresses(asked: Mapping[str, str]) -> Callable[..., str]:
    """Make a function that gives addresses of pages with the present settings and some changes."""

    def address(path: str, **changes: Any) -> str:
        every = {**asked, **{name: str(value) for name, value in changes.items()}}
        named = {n: v for n, v in every.items() if v not in ("", USUAL.get(n, ""), "None")}
        return f"{path}?{urlencode(named)}" if named else path

    return address
