"""`flawline study steps` and `factors`: where defects come from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, Quiet
from flawline.cli.record_options import Since, Until, WhereOption, assignments
from flawline.cli.strict import Strict
from flawline.cli.study_output import Confidence, show_study
from flawline.cli.table_options import TableFormatOption
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.data.source import Source

DefectTable = Annotated[
    Path | None,
    typer.Argument(help="CSV, Parquet or spreadsheet, one row per defect; or give --store."),
]
PartTable = Annotated[
    Path | None,
    typer.Option(
        "--parts",
        help="Table of the inspected parts, one row each; NAME-parts next to the table if not given.",
    ),
]
DefectStore = Annotated[
    str | None,
    typer.Option(
        "--store", help="Study records: an SQLite file, or postgresql://USER@HOST/DATABASE."
    ),
]
PartColumn = Annotated[
    str | None,
    typer.Option("--part", help="Column of the part; part, group or image if not given."),
]
StepColumn = Annotated[
    str, typer.Option("--step", help="Column of the step after which a part was inspected.")
]
Order = Annotated[
    str | None,
    typer.Option(help="The steps in order, separated by commas; by their times, else their names."),
]
Tolerance = Annotated[
    float | None,
    typer.Option(
        help="How far a defect may seem to move between steps, in the unit of the places; 2 % of the longer side."
    ),
]
X = Annotated[str | None, typer.Option("--x", help="Column of the place of a defect, with --y.")]
Y = Annotated[str | None, typer.Option("--y", help="Column of the place of a defect, with --x.")]
Kind = Annotated[
    str | None, typer.Option("--kind", help="Column of the class; class or label if not given.")
]
Size = Annotated[str | None, typer.Option("--size", help="Column of the size; area if not given.")]
Pictures = Annotated[
    Path | None,
    typer.Option("--pictures", help="Pictures of the parts: a folder, archive or manifest."),
]
PicturesRoot = Annotated[
    Path | None,
    typer.Option(
        "--root",
        help="Folder below which a manifest of --pictures may name files; its own if not given.",
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the permutations.", min=0)]


def names(text: str | None) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


@contextmanager
def studied_pictures(pictures: Path | None, root: Path | None) -> Iterator[Path | Source | None]:
    """Open the pictures of a study where a manifest may name files below another folder than its own."""
    from flawline.data.source import open_source

    if root is None:
        yield pictures
        return
    if pictures is None:
        raise UsageError("`root` is of a manifest of pictures, and none is given")
    with open_source(pictures, root=root) as source:
        yield source


def steps(
    table: DefectTable = None,
    parts: PartTable = None,
    store: DefectStore = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for steps.html, .svg, .png and .json.")
    ] = Path("flawline-steps"),
    part: PartColumn = None,
    step: StepColumn = "step",
    order: Order = None,
    tolerance: Tolerance = None,
    x: X = None,
    y: Y = None,
    kind: Kind = None,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Find the step of a process that adds defects, from parts inspected after each step."""
    from flawline.api.causes import study_steps
    from flawline.jobs.study.steps_report import steps_report, surest_step

    found = study_steps(
        table,
        parts=parts,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        part=part,
        step=step,
        order=names(order),
        tolerance=tolerance,
        x=x,
        y=y,
        kind=kind,
        confidence=confidence,
        seed=seed,
        table_format=assignments(table_format, "--table-format"),
    )
    report = steps_report(found)
    surest = surest_step(found)
    if surest is not None:
        source = f"--store {shlex.quote(store or '')}" if table is None else shlex.quote(str(table))
        following = f"flawline study factors {source} --at {shlex.quote(surest)}"
        report = replace(report, next_step=following)
    return show_study(report, out, as_json=as_json, quiet=quiet, strict=strict)


def factors(
    table: DefectTable = None,
    parts: PartTable = None,
    store: DefectStore = None,
    where: WhereOption = None,
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for factors.html, .svg, .png and .json.")
    ] = Path("flawline-factors"),
    by: Annotated[
        str | None,
        typer.Option(
            help="Factors to compare, separated by commas; all of lot, tool, shift and so on, and the weekday."
        ),
    ] = None,
    of: Annotated[str, typer.Option(help="count of defects a part, or their size.")] = "count",
    only: Annotated[str | None, typer.Option(help="Defects of this class alone.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="Count what is first seen after this step, with the factors of that step."
        ),
    ] = None,
    part: PartColumn = None,
    step: StepColumn = "step",
    order: Order = None,
    tolerance: Tolerance = None,
    x: X = None,
    y: Y = None,
    kind: Kind = None,
    size: Size = None,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    table_format: TableFormatOption = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Find the tool, lot, shift or other factor with more or larger defects, and what runs together with it."""
    from flawline.api.causes import study_factors
    from flawline.jobs.study.factors_report import factors_report

    found = study_factors(
        table,
        parts=parts,
        store=store,
        where=assignments(where, "--where"),
        since=since,
        until=until,
        by=names(by),
        of=of,  # type: ignore[arg-type]
        only=only,
        at=at,
        part=part,
        step=step,
        order=names(order),
        tolerance=tolerance,
        x=x,
        y=y,
        kind=kind,
        size=size,
        confidence=confidence,
        seed=seed,
        table_format=assignments(table_format, "--table-format"),
    )
    return show_study(factors_report(found), out, as_json=as_json, quiet=quiet, strict=strict)
