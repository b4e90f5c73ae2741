"""`flawline chart`: is a process in control?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.chart_pareto import chart_pareto
from flawline.cli.console import AsJson, Quiet, note, print_json
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.series_options import (
    Alert,
    By,
    Every,
    Label,
    Last,
    Measure,
    Once,
    OptionalTable,
    StoreOption,
    Subgroup,
    Summary,
    Transform,
    Unit,
    Watch,
    print_skipped,
)
from flawline.cli.table_options import TableFormatOption

if TYPE_CHECKING:
    from flawline.jobs.chart.control_chart import ControlChart

LISTED, LAST, EVERY = 10, 500, 5.0


def chart(
    measure: Measure,
    table: OptionalTable = None,
    store: StoreOption = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for chart.html, .svg, .png and .json.")
    ] = Path("flawline-chart"),
    chart: Annotated[
        str | None,
        typer.Option(
            help="i-mr, xbar-r, xbar-s, median, i-mr-r, i-mr-s, ma, ewma, cusum, zone, z-mr, run, p, np, c, u, "
            "laney-p, laney-u, g, t or pareto; else that of --limits, z-mr with --product, u or c of counts, or i-mr."
        ),
    ] = None,
    by: By = None,
    subgroup: Subgroup = None,
    size: Annotated[
        str | None,
        typer.Option(help="Column of inspected units, for counts; of weights, for pareto."),
    ] = None,
    label: Label = None,
    stage: Annotated[
        str | None, typer.Option(help="Column that names stages: each gets limits of its own.")
    ] = None,
    summary: Summary = None,
    unit: Unit = "",
    rules: Annotated[
        str,
        typer.Option(help='nelson, we, or numbers such as "1,2,5" or, with another K, "1,2=7".'),
    ] = "1",
    count_steps: Annotated[
        bool,
        typer.Option(
            "--count-steps",
            help="K of rules 3 and 4 counts the steps between points, as in Minitab: one more point each.",
        ),
    ] = False,
    sigma_from: Annotated[
        str,
        typer.Option(help="How sigma comes from subgroups: mean of R/d2 or s/c4, mvlue or pooled."),
    ] = "mean",
    limits: Annotated[
        Path | None, typer.Option(help="Frozen limits to judge by (Phase II).")
    ] = None,
    freeze: Annotated[
        Path | None, typer.Option(help="Write the estimated limits to this file.")
    ] = None,
    set_aside: Annotated[
        list[str] | None,
        typer.Option(
            help="A point not to estimate from, by its name or, as '#41', its number; may be repeated. auto: those "
            "beyond limits. none: not even those that people set aside in the records."
        ),
    ] = None,
    transform: Transform = "auto",
    centre: Annotated[
        float | None, typer.Option(help="A given mean or target, with --sigma (Phase II).")
    ] = None,
    sigma: Annotated[
        float | None, typer.Option(help="A given standard deviation, with --centre.")
    ] = None,
    weight: Annotated[float, typer.Option(help="The EWMA's lambda.")] = 0.2,
    reference: Annotated[float, typer.Option(help="The CUSUM's k, in sigmas.")] = 0.5,
    decision: Annotated[float, typer.Option(help="The CUSUM's h, in sigmas.")] = 5.0,
    head_start: Annotated[float, typer.Option(help="The CUSUM's first value, in sigmas.")] = 0.0,
    span: Annotated[int, typer.Option(help="Points of a moving average.")] = 3,
    product: Annotated[
        str | None,
        typer.Option(help="Column of the product, for z-mr: short runs of several on one chart."),
    ] = None,
    product_sigma: Annotated[
        str,
        typer.Option(
            help="On z-mr: sigma by-product, constant (one for all) or relative (one for all, as a share of the mean)."
        ),
    ] = "by-product",
    zones: Annotated[bool, typer.Option(help="Draw lines at 1 and 2 sigma.")] = False,
    phase1: Annotated[
        int | None,
        typer.Option(help="Estimate the limits from the first N points, judge the others by them."),
    ] = None,
    watch: Watch = False,
    once: Once = False,
    every: Every = None,
    last: Last = None,
    alert: Alert = None,
    table_format: TableFormatOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Chart a measure of a table or of records, name what is out of the ordinary, and say what it usually means."""
    from flawline.errors import UsageError

    if chart == "pareto":
        if watch or phase1:
            raise UsageError("a pareto chart has no limits, and is not watched")
        written_as = assignments(table_format, "--table-format")
        return chart_pareto(table, measure, size, out, written_as, as_json=as_json, quiet=quiet)
    if freeze and (limits or centre is not None or sigma is not None):
        raise UsageError("limits are frozen where they are estimated, and these are given")
    from flawline.api import chart as api
    from flawline.jobs.chart.chart_report import write_chart

    rows = assignments(where, "--where")
    if watch:
        from flawline.api.records import where_of
        from flawline.cli.chart_watch import Watching, watch_chart
        from flawline.core.measure.parts import is_count
        from flawline.core.spc.rules import parse_rules
        from flawline.jobs.chart.watch_settings import WatchSettings

        given, kind = api.limits_and_kind(limits, chart or ("z-mr" if product else None))
        own = api.own_limits(kind, weight, reference, decision, head_start, span, product_sigma)
        if chart is None and given is None and kind == "i-mr" and is_count(measure):
            note(
                f"{measure} is a count: --chart c or u has limits for it; watched as i-mr",
                quiet=quiet,
            )
        settings = WatchSettings(
            measure,
            kind,
            api.forming(
                by,
                subgroup,
                size=size,
                label=label,
                stage=stage,
                summary=summary,
                unit=unit,
                product=product,
            ),
            where_of(rows, since, until, None),
            parse_rules(rules, count_steps=count_steps),
            given or api.given_standards(own, centre, sigma),
            api.estimation_of(set_aside, transform, own, sigma_from),
            phase1,
            LAST if last is None else last,
        )
        watching = Watching(EVERY if every is None else every, once, alert or ["console"])
        return watch_chart(
            settings,
            _watched(table, store),
            out,
            watching,
            freeze=freeze,
            zones=zones,
            as_json=as_json,
            quiet=quiet,
        )
    if once or alert or every is not None or last is not None:
        raise UsageError("--once, --every, --last and --alert go with --watch")
    charted = api.chart(
        measure,
        table,
        store=store,
        where=rows,
        since=since,
        until=until,
        chart=chart,
        by=by,
        subgroup=subgroup,
        size=size,
        label=label,
        stage=stage,
        summary=summary,
        unit=unit,
        rules=rules,
        count_steps=count_steps,
        sigma_from=sigma_from,
        limits=limits,
        set_aside=set_aside,
        transform=transform,
        centre=centre,
        sigma=sigma,
        weight=weight,
        reference=reference,
        decision=decision,
        head_start=head_start,
        span=span,
        product=product,
        product_sigma=product_sigma,
        phase1=phase1,
        table_format=assignments(table_format, "--table-format"),
    )
    skipped = charted.series.skipped
    out.mkdir(parents=True, exist_ok=True)
    written = write_chart(charted, out, zones=zones)
    if freeze:
        note(_freeze(charted, freeze), quiet=quiet)
    if as_json:
        print_json(written.document)
    else:
        print_chart(charted)
    print_skipped(skipped)
    for text in () if as_json else charted.notes:
        note(text, quiet=quiet)
    note(f"report: {written.page}", quiet=quiet)
    return 1 if not charted.in_control else 2 if skipped else 0


def print_chart(charted: ControlChart) -> None:
    """The finding, then what the first signals usually mean."""
    from rich.console import Console
    from rich.text import Text

    from flawline.jobs.chart.finding import finding, meanings

    console = Console(highlight=False)
    console.print(Text(finding(charted)), style="bold")
    for text in meanings(charted)[:LISTED]:
        console.print(Text(text))


def _watched(table: Path | None, store: str | None) -> str:
    from flawline.errors import UsageError

    if store is None or table is not None:
        raise UsageError(
            "records are watched, not a table",
            hint="give --store URL; `flawline import` takes a table into records",
        )
    return store


def _freeze(charted: ControlChart, freeze: Path) -> str:
    """Write the estimated limits; returns what to say of them."""
    from flawline.jobs.chart.chart_files import write_limits

    # The limits of the last stage are what the process is like now.
    stage = charted.stages[-1]
    write_limits(stage.limits, freeze)
    which = f" of {stage.name}" if len(charted.stages) > 1 else ""
    told = f"froze the limits{which} in {freeze}"
    if charted.in_control:
        return told
    return (
        f"{told}; they come from points with signals: look for causes, and set those points aside"
    )
