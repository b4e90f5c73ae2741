"""`flawline train anomaly`: learn what good parts look like."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, next_step, print_json, printable, warn
from flawline.cli.feature_options import (
    Backbone,
    Bad,
    Encoding,
    Good,
    Limits,
    Precision,
    Preparation,
    Root,
    SourceArgument,
    ValueRange,
    Weights,
    open_from_options,
    parse_range,
    picture_notes,
    print_notes,
    print_unjudged,
    typed_again,
)
from flawline.cli.settings import as_options
from flawline.cli.strict import STYLES, Strict, strict_code
from flawline.cli.training_options import (
    MmPerPx,
    PartName,
    RecipeOut,
    RecipeReport,
    TrainingSeed,
)
from flawline.detectors.registry import DEFAULT, METHODS
from flawline.jobs.train.setup.effort import EFFORTS

if TYPE_CHECKING:
    from flawline.data.source import Source
    from flawline.jobs.train.train_anomaly import AnomalyTraining


def anomaly(
    context: typer.Context,
    source: SourceArgument,
    out: RecipeOut = Path("part.flaw"),
    part: PartName = "",
    effort: Annotated[
        str,
        typer.Option(
            metavar="|".join(EFFORTS),
            help="How much is tried to choose --method, --window, --light, --align and --foreground, where not given.",
        ),
    ] = "normal",
    method: Annotated[
        str | None, typer.Option(metavar="|".join(METHODS), help="How good parts are learnt.")
    ] = None,
    backbone: Backbone = "flawline-small",
    weights: Weights = None,
    preparation: Preparation = None,
    precision: Precision = "auto",
    window: Annotated[
        str | None,
        typer.Option(help='What the detector sees at once, px: "256" or HEIGHTxWIDTH.'),
    ] = None,
    min_defect: Annotated[
        str | None,
        typer.Option(help='Smallest defect that must stay visible: "3 px" or "0.3 mm".'),
    ] = None,
    mm_per_px: MmPerPx = None,
    light: Annotated[
        str | None, typer.Option(help="Even out light: none, level, flat or gradient.")
    ] = None,
    align: Annotated[
        str | None, typer.Option(help="Bring parts into one place: none, shift, rigid or polar.")
    ] = None,
    roi: Annotated[
        list[str] | None,
        typer.Option(help='Where to look, as corners "x,y x,y x,y" in px; may be repeated.'),
    ] = None,
    roi_mask: Annotated[
        Path | None, typer.Option(help="Where to look, as a picture that is white there.")
    ] = None,
    foreground: Annotated[
        bool | None, typer.Option(help="Look only at the part, learnt from the pictures.")
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(
            help="Share of good pictures only calibrated with; else all teach and calibrate."
        ),
    ] = None,
    test: Annotated[
        float | None,
        typer.Option(help="Share of good and bad pictures held out first, and judged at the end."),
    ] = None,
    overkill: Annotated[
        float | None,
        typer.Option(help="Share of good parts rejected at most; 0.05 where pictures suffice."),
    ] = None,
    review: Annotated[
        float | None,
        typer.Option(help="Share of good parts not accepted at most; 0.1 where pictures suffice."),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of both shares.")] = 0.95,
    cost_escape: Annotated[
        float | None, typer.Option(help="Cost of a bad part let through.")
    ] = None,
    cost_overkill: Annotated[
        float | None, typer.Option(help="Cost of a good part thrown away.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of bad parts in production, for costs.")
    ] = None,
    escape: Annotated[
        float | None,
        typer.Option(help="Share accepted at most of such bad parts as are known, for --review."),
    ] = None,
    golden: Annotated[
        str | None,
        typer.Option(
            help="A picture of a good part, or a folder of some: what is missing or extra beside it rejects a part too."
        ),
    ] = None,
    keep_all: Annotated[
        bool, typer.Option(help="Learn from pictures that look bad among the good, too.")
    ] = False,
    self_test: Annotated[
        str,
        typer.Option(
            metavar="check|report|off",
            help="Draw defects into held-out good pictures; check refuses where --min-defect is not found.",
        ),
    ] = "check",
    ignore_bad: Annotated[
        bool, typer.Option(help="Learn nothing from known bad parts; only count those missed.")
    ] = False,
    report: RecipeReport = None,
    seed: TrainingSeed = 0,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Learn from pictures of good parts, set thresholds on held-out ones, write a recipe."""
    from flawline.api.train import train_anomaly
    from flawline.jobs.train.training_files import trained_as_dict
    from flawline.jobs.train.training_pictures import write_training_report
    from flawline.jobs.train.training_verdict import training_verdict
    from flawline.recipe import write_recipe

    polygons, span = parse_polygons(roi), parse_range(value_range)
    # Before the work: after it is too late to find out that there is no such folder.
    out.parent.mkdir(parents=True, exist_ok=True)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        trained = train_anomaly(
            opened,
            part=part,
            effort=effort,
            method=method,
            backbone=backbone,
            weights=weights,
            preparation=preparation,
            precision=precision,
            window=window,
            min_defect=min_defect,
            mm_per_px=mm_per_px,
            light=light,
            align=align,
            roi=polygons,
            roi_mask=roi_mask,
            foreground=foreground,
            held_out=held_out,
            test=test,
            overkill=overkill,
            review=review,
            confidence=confidence,
            cost_escape=cost_escape,
            cost_overkill=cost_overkill,
            prevalence=prevalence,
            escape=escape,
            golden=golden,
            keep_all=keep_all,
            self_test=self_test,
            ignore_bad=ignore_bad,
            seed=seed,
            value_range=span,
            track=ProgressBar(quiet=quiet),
        )
        write_recipe(trained.recipe, out)
        page = report or out.with_suffix(".html")
        tested = _write_test(trained, opened, out)
        address = Path(os.path.relpath(tested, page.parent)).as_posix() if tested else ""
        write_training_report(trained, opened, page, address)
        summary = opened.summary()
    command = next_command(trained, context, out)
    if as_json:
        print_json({**trained_as_dict(trained, out), "next": command})
    else:
        print_trained(trained, command)
    print_unjudged(trained.unjudged)
    lines = [*picture_notes(trained.notes), f"wrote {out}, report: {page}"]
    lines += [f"the test: {tested}"] if tested else []
    print_notes(summary, lines, quiet=quiet)
    usable = training_verdict(trained).usable
    return strict_code(2 if trained.unjudged else 0, usable, strict=strict)


def parse_polygons(texts: list[str] | None) -> tuple[Any, ...]:
    """Read polygons "x,y x,y x,y"."""
    from flawline.errors import UsageError

    polygons = []
    for text in texts or ():
        try:
            corners = [
                tuple(float(value) for value in corner.split(",")) for corner in text.split()
            ]
        except ValueError:
            corners = []
        if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
            raise UsageError(
                f'--roi takes at least three corners "x,y x,y x,y" in px, got {text!r}'
            )
        polygons.append(tuple(corners))
    return tuple(polygons)


def _write_test(trained: AnomalyTraining, source: Source, out: Path) -> Path | None:
    """Write the evaluation of the test into a folder beside the recipe; returns its report."""
    from flawline.inspector import Inspector
    from flawline.jobs.evaluate.evaluation_files import write_evaluation

    if trained.test is None:
        return None
    folder = out.with_name(f"{out.stem}-test")
    folder.mkdir(parents=True, exist_ok=True)
    written = write_evaluation(trained.test, source, Inspector(trained.recipe), folder)
    return next(path for path in written if path.suffix == ".html")


def next_command(trained: AnomalyTraining, context: typer.Context, out: Path) -> str:
    """The command to type next: put the recipe to work, or train otherwise where it misses too many bad parts."""
    from flawline.jobs.train.training_verdict import training_verdict
    from flawline.recipe import detector_settings

    verdict, settings = training_verdict(trained), trained.recipe.settings
    if verdict.usable == "unknown":
        return f"flawline evaluate {shlex.quote(str(out))} GOOD_AND_BAD_PICTURES"
    ready = f"flawline inspect {shlex.quote(str(out))} PICTURES"
    if not verdict.misses:
        return ready
    if trained.set_up is not None and trained.set_up.trials:
        # What is suggested below was tried.
        more = trained.set_up.search.effort != "thorough"
        return typed_again(context, effort="thorough") if more else ready
    if settings.alignment.method == "none":
        height, width = trained.recipe.manifest.settings["picture_size"]
        # Parts that lie turned are the usual reason; round ones fill a square picture.
        return typed_again(context, align="polar" if abs(height - width) < 0.1 * width else "rigid")
    if detector_settings(trained.recipe).method == DEFAULT:
        return typed_again(context, method=next(name for name in METHODS if name != DEFAULT))
    return ready


def print_trained(trained: AnomalyTraining, command: str) -> None:
    """Whether the recipe can be used, the command to type next, what was learnt and what it can promise."""
    from rich.console import Console
    from rich.text import Text

    from flawline.jobs.train.training_verdict import training_verdict

    console = Console(highlight=False, soft_wrap=True)
    verdict = training_verdict(trained)
    console.print(Text(printable(verdict.text)), style=STYLES[verdict.usable])
    next_step(command)
    for line in trained.messages:
        console.print(Text(printable(as_options(line))))
    for suspect in trained.suspects:
        warn(f"set aside: {suspect.name}: {suspect.reason}")
