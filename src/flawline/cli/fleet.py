"""`--on`: a job over pictures on Ray, and what is printed of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import ProgressBar, print_json, text_table, warn
from flawline.cli.feature_options import given_options, print_notes, print_unjudged
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.data.source import Source
    from flawline.features.compute import FeatureSettings
    from flawline.fleet.inspect import FleetInspection
    from flawline.fleet.rank import FleetRanking
    from flawline.inspector import Inspector
    from flawline.jobs.rank.saved_ranking import SavedRanking
    from flawline.station.station import Station

OnOption = Annotated[
    str | None,
    typer.Option(
        help="Work on Ray: local (this machine) or ray://HOST:PORT; in this process if not given."
    ),
]


def inspect_on(
    on: str,
    inspector: Inspector,
    open_source: Callable[[], AbstractContextManager[Source]],
    open_station: Callable[..., AbstractContextManager[Station]],
    out: Path,
    *,
    overlays: str,
    as_json: bool,
    quiet: bool,
) -> int:
    """Inspect on Ray and print the counts; the verdicts are in the data set."""
    from flawline.errors import UsageError
    from flawline.fleet.inspect import UNFINISHED, inspect_on_ray

    if overlays != "flagged":
        raise UsageError(
            "`overlays` cannot be given with `on`: a data set has no drawings",
            hint="leave one of them out",
        )
    with open_source() as source:
        with open_station(limits=source.image_limits) as station:
            found = inspect_on_ray(
                source, station, on=on, folder=out, track=ProgressBar(quiet=quiet)
            )
        summary = source.summary()
    for path in (out / UNFINISHED, *out.glob(".unstored-*")):
        path.unlink(missing_ok=True)
    if as_json:
        print_json(found.as_dict())
    else:
        typer.echo(_finding(found))
    print_unjudged((*found.told, *found.unlisted))
    print_notes(summary, _notes(found, station), quiet=quiet)
    return found.exit_code


def _finding(found: FleetInspection) -> str:
    said = ", ".join(f"{count} {name}" for name, count in found.counts.items() if count)
    return f"{counted(found.pictures, 'picture')}: {said}"


def _notes(found: FleetInspection, station: Station) -> list[str]:
    notes = resumed_note(found.resumed)
    if (added := station.added) is not None:
        notes.append(
            f"records: {added.new} new, {added.known} known before, in {station.records_name}"
        )
    return [*notes, f"wrote {counted(found.parts, 'part')} of the data set {found.data_set}"]


def rank_on(
    on: str,
    source: Source,
    out: Path,
    saved: SavedRanking | None,
    settings: FeatureSettings,
    numbers: Mapping[str, int],
    *,
    moved: Mapping[str, str | None],
    save_model: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Score on Ray and print the most anomalous; all scores are in the data set."""
    from dataclasses import replace

    from flawline.features import compute
    from flawline.fleet.rank import UNFINISHED, rank_on_ray
    from flawline.jobs.rank.saved_ranking import save_ranking

    if saved is not None:
        own = compute.moved(saved.settings, moved.get("backbone"), moved["weights"])
        saved = replace(saved, settings=own)
    found, fitted = rank_on_ray(
        source,
        on=on,
        folder=out,
        settings=settings,
        saved=saved,
        track=ProgressBar(quiet=quiet),
        **numbers,
    )
    wrote = [f"{counted(found.parts, 'part')} of the data set {found.data_set}"]
    if save_model:
        wrote.append(str(save_ranking(fitted, save_model)))
    (out / UNFINISHED).unlink(missing_ok=True)
    if as_json:
        print_json(found.as_dict())
    else:
        _print_top(found)
    print_unjudged((*found.told, *found.unlisted))
    for text in found.warnings:
        warn(f"warning: {text}")
    notes = [*resumed_note(found.resumed), f"wrote {', '.join(wrote)}"]
    print_notes(source.summary(), notes, quiet=quiet)
    return found.exit_code


def features_on(
    on: str,
    open_source: Callable[[], AbstractContextManager[Source]],
    out: Path,
    settings: FeatureSettings,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compute features on Ray into a data set."""
    from flawline.fleet.features import UNFINISHED, features_on_ray

    with open_source() as source:
        found = features_on_ray(
            source, on=on, folder=out, settings=settings, track=ProgressBar(quiet=quiet)
        )
        summary = source.summary()
    (out / UNFINISHED).unlink(missing_ok=True)
    if as_json:
        print_json(found.as_dict())
    else:
        judged = found.pictures - found.unjudged
        typer.echo(f"{found.data_set}: {judged} pictures, {len(found.columns)} features")
    print_unjudged((*found.told, *found.unlisted))
    wrote = f"wrote {counted(found.parts, 'part')} of the data set {found.data_set}"
    print_notes(summary, [*resumed_note(found.resumed), wrote], quiet=quiet)
    return found.exit_code


def folder_beside_on(context: typer.Context, out: Path, otherwise: str) -> Path:
    """The folder of a data set where a command writes one table without `--on`."""
    from flawline.errors import UsageError

    if not given_options(context, ["out"]):
        return Path(otherwise)
    if out.suffix.lower() in (".parquet", ".csv"):
        raise UsageError(
            f"expected a folder as `out` beside `on`, got {str(out)!r}",
            hint="a data set is a folder of Parquet files",
        )
    return out


def _print_top(found: FleetRanking) -> None:
    from rich.console import Console

    rows = [
        (str(rank), f"{score:.4f}", label or "", name)
        for rank, (name, label, score) in enumerate(found.top, start=1)
    ]
    console = Console(highlight=False)
    console.print(text_table(["rank", "score", "label", "image"], rows, right=["rank", "score"]))
    judged = found.pictures - found.unjudged
    console.print(f"{counted(judged, 'picture')} scored, {found.unjudged} not", style="bold")


def refuse_beside_on(context: typer.Context, names: Collection[str]) -> None:
    """Refuse options that need all pictures on one machine."""
    from flawline.errors import UsageError

    given = given_options(context, names)
    if given and not (given == ["method"] and context.params["method"] == "auto"):
        said = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(
            f"{said} cannot be given with `on`: it needs all pictures on one machine",
            hint="leave one of them out",
        )


def resumed_note(resumed: int) -> list[str]:
    """What an interrupted run had done."""
    if not resumed:
        return []
    said = counted(resumed, "picture was", "pictures were")
    return [f"{said} done before, by the run that was interrupted"]
