"""`flawline watch`: judge the pictures that arrive in a folder."""

from __future__ import annotations

import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, Quiet, note, print_json, printable, warn
from flawline.cli.outputs import opened_outputs
from flawline.cli.recipe_options import RecipeArgument, RecipePrecision
from flawline.cli.record_options import (
    KeepOption,
    OutputOption,
    PicturesOption,
    SetOption,
    WrittenStore,
    assignments,
)
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.inspector.inspection import Inspection
    from flawline.station.watch import Watched
    from flawline.types import Unjudged


def watch(
    recipe: RecipeArgument,
    folder: Annotated[Path, typer.Argument(help="The folder in which pictures arrive.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for notes of what was judged already."),
    ] = Path("flawline-watch"),
    settle: Annotated[
        float, typer.Option(help="Seconds for which a file must stay the same before it is read.")
    ] = 1.0,
    marker: Annotated[
        str,
        typer.Option(
            help="Wait for a marker file instead: PICTURE.png.done for .done. It is removed with a moved picture."
        ),
    ] = "",
    move_to: Annotated[
        Path | None,
        typer.Option(help="Move judged pictures there, into a folder of their verdict."),
    ] = None,
    polling: Annotated[
        bool, typer.Option("--polling", help="For network shares, which do not say what changes.")
    ] = False,
    part_from: Annotated[
        str | None,
        typer.Option(
            help='Take part and more from names, by a pattern such as "{lot}_{part}_{view}".'
        ),
    ] = None,
    codes: Annotated[
        bool,
        typer.Option(
            "--codes", help="Take the part from a DataMatrix, QR or 1-D code in the picture."
        ),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End when all that is there now was judged.")
    ] = False,
    precision: RecipePrecision = None,
    store: WrittenStore = None,
    keep: KeepOption = None,
    pictures: PicturesOption = None,
    constant: SetOption = None,
    output: OutputOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Judge the pictures of a folder as they arrive, each once, until Ctrl-C; needs the extra [factory]."""
    from flawline.api.watch import watch as run
    from flawline.data.interrupt import held_interrupt
    from flawline.inspector import Inspector

    end_on_terminate()
    inspector = Inspector.open(recipe, precision=precision)
    with held_interrupt() as interrupt:
        if folder.is_dir():
            note(f"watching {folder}; Ctrl-C ends it", quiet=quiet or once)
        watched = run(
            inspector,
            folder,
            out=out,
            settle=settle,
            marker=marker,
            move_to=move_to,
            polling=polling,
            part_from=part_from,
            codes=codes,
            once=once,
            store=store,
            keep=keep,
            pictures=pictures,
            constant=assignments(constant, "--set"),
            output=opened_outputs(output or (), live=True),
            stop=lambda: interrupt.asked,
            each=None if as_json else print_flagged,
            say=warn,
        )
    print_watched(watched, as_json=as_json)
    if store is None and move_to is None and not output:
        note("no verdict was kept: --store line.db records them", quiet=quiet)
    return watched.exit_code


def end_on_terminate() -> None:
    """End at SIGTERM, with which a service is stopped, as at Ctrl-C: what is in work is finished."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So a script of the shell starts what runs in the background; SIGTERM must end that too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def print_flagged(name: str, found: Inspection | Unjudged) -> None:
    """Print a line for a picture that was not accepted."""
    from flawline.types import Unjudged

    if isinstance(found, Unjudged):
        verdict, why = "not judged", found.reason
    else:
        verdict, why = found.verdict, "; ".join(found.reasons[1:] or found.reasons)
    if verdict != "accept":
        typer.echo(printable(f"{verdict}  {name}  {why}"))


def print_watched(watched: Watched, *, as_json: bool) -> None:
    """Print what was judged."""
    answers = watched.answers
    if as_json:
        timed = {} if answers is None else {"answers": asdict(answers)}
        stated = {"unjudged": watched.unjudged, "dropped": watched.dropped}
        print_json({**watched.counts, **stated, **timed})
        return
    typer.echo(_sentence(watched))
    if answers is not None:
        p50, p99, worst = (1000 * value for value in (answers.p50, answers.p99, answers.worst))
        typer.echo(
            f"{counted(answers.count, 'answer')}, {answers.late} late; from trigger to answer "
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, worst {worst:.0f} ms"
        )


def _sentence(watched: Watched) -> str:
    """Say what was judged."""
    total = sum(watched.counts.values()) + watched.unjudged
    if not total:
        return "no new picture: those that were judged before are not judged again"
    said = [f"{count} {verdict}" for verdict, count in watched.counts.items() if count]
    dropped = f", {watched.dropped} of them because they came too fast" if watched.dropped else ""
    said += [f"{watched.unjudged} could not be judged{dropped}"] if watched.unjudged else []
    return f"{counted(total, 'picture')}: {', '.join(said)}"
