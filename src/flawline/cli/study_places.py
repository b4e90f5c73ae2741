"""`flawline study location` and `drift`: where on the part, and what moved first."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.strict import Strict
from flawline.cli.study_causes import (
    DefectStore,
    DefectTable,
    Kind,
    Order,
    PartColumn,
    PartTable,
    Pictures,
    PicturesRoot,
    Seed,
    StepColumn,
    X,
    Y,
    names,
    studied_pictures,
)
from flawline.cli.study_output import show_study
from flawline.cli.table_options import TableFormatOption
from flawline.errors import UsageError


def location(
    table: DefectTable = None,
    parts: PartTable = None,
    store: DefectStore = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for location.html, .svg, .png and .json.")
    ] = Path("flawline-location"),
    by: Annotated[
        str | None,
        typer.Option(help="Factors to compare at each place, separated by commas; as for factors."),
    ] = None,
    only: Annotated[str | None, typer.Option(help="Defects of this class alone.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Defects first seen after this step alone.")
    ] = None,
    pictures: Pictures = None,
    root: PicturesRoot = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Recipe whose alignment finds how the part lies in each picture; the records' own if not given."
        ),
    ] = None,
    align: Annotated[
        bool, typer.Option(help="Lay parts upon each other by the alignment of the recipe.")
    ] = True,
    kept: Annotated[
        str | None,
        typer.Option(
            help="Where the pictures of the records are kept; next to an SQLite file if not given."
        ),
    ] = None,
    centre: Annotated[
        str | None, typer.Option(help="X,Y of a ring-shaped part: angle and radius about it count.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Look too for places of one time, class, lot or tool: time, class or columns, separated by commas."
        ),
    ] = None,
    part: PartColumn = None,
    step: StepColumn = "step",
    order: Order = None,
    x: X = None,
    y: Y = None,
    kind: Kind = None,
    seed: Seed = 0,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Find where on the part defects gather beyond chance, and which tool, lot or day goes with each place."""
    from flawline.api.study_location import study_location
    from flawline.jobs.study.location_report import location_report

    with studied_pictures(pictures, root) as shown:
        found = study_location(
            table,
            parts=parts,
            store=store,
            where=assignments(where, "--where"),
            since=since,
            until=until,
            by=names(by),
            only=only,
            at=at,
            pictures=shown,
            recipe=recipe,
            align=align,
            kept=kept,
            centre=_point(centre),
            split=names(split),
            part=part,
            step=step,
            order=names(order),
            x=x,
            y=y,
            kind=kind,
            seed=seed,
            table_format=assignments(table_format, "--table-format"),
            track=ProgressBar(quiet=quiet),
        )
    report = location_report(found)
    if found.timed and split is None:
        given = {
            "--at": at,
            "--only": only,
            "--centre": centre,
            "--pictures": pictures,
            "--root": root,
            "--recipe": recipe,
        }
        source = ["--store", store] if table is None else [str(table)]
        words = [word for name, value in given.items() if value for word in (name, str(value))]
        following = shlex.join(["flawline", "study", "location", *map(str, source), *words])
        report = replace(report, next_step=f"{following} --split time")
    return show_study(report, out, as_json=as_json, quiet=quiet, strict=strict)


def _point(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        x, y = (float(word) for word in text.split(","))
    except ValueError:
        raise UsageError(f"`centre` takes X,Y, got {text!r}", hint="such as 160,160") from None
    return x, y


def drift(
    table: DefectTable = None,
    parts: PartTable = None,
    store: DefectStore = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for drift.html, .svg, .png and .json.")
    ] = Path("flawline-drift"),
    pictures: Pictures = None,
    root: PicturesRoot = None,
    distance: Annotated[
        str,
        typer.Option(
            help="How far the looks of the first and last third of --pictures are apart: energy or mmd."
        ),
    ] = "energy",
    seed: Seed = 0,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Tell what drifts, the process, the camera, the light or the model, by which signal moved first."""
    from flawline.api.causes import study_drift
    from flawline.jobs.study.drift_report import drift_report

    with studied_pictures(pictures, root) as shown:
        found = study_drift(
            table,
            parts=parts,
            store=store,
            where=assignments(where, "--where"),
            since=since,
            until=until,
            pictures=shown,
            distance=cast("Literal['energy', 'mmd']", distance),
            seed=seed,
            table_format=assignments(table_format, "--table-format"),
            track=ProgressBar(quiet=quiet),
        )
    return show_study(drift_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
