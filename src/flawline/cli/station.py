"""`flawline station`: run the station that one file describes."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from flawline.cli.console import AsJson, Quiet, next_step, note, print_json, warn
from flawline.cli.watch import end_on_terminate, print_flagged, print_watched
from flawline.core.words import counted


def station(
    file: Annotated[Path, typer.Argument(help="The station's file, such as station.toml.")],
    check: Annotated[
        bool,
        typer.Option("--check", help="Only check the file and the recipe; connect to nothing."),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End when all that is there now was judged.")
    ] = False,
    sign_in_link: Annotated[
        bool, typer.Option("--sign-in-link", help="Print a new link for an admin of the page.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run the station that a file describes until Ctrl-C; SIGHUP reads it again. Needs the extra [factory]."""
    from flawline.api.station import run_station
    from flawline.data.interrupt import held_interrupt
    from flawline.server.station_page import station_page

    if check:
        return _check(file, as_json=as_json)
    end_on_terminate()
    asked = _Asked()
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, asked.note)
    with held_interrupt() as interrupt, station_page(file, warn, new_link=sign_in_link) as triggers:
        note(f"running {file}; Ctrl-C ends it", quiet=quiet or once)
        watched = run_station(
            file,
            once=once,
            stop=lambda: interrupt.asked,
            reload=asked.take,
            each=None if as_json else print_flagged,
            triggers=triggers,
            say=warn,
        )
    print_watched(watched, as_json=as_json)
    return watched.exit_code


class _Asked:
    """Whether SIGHUP came since the last look."""

    _asked = False

    def note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def take(self) -> bool:
        asked, self._asked = self._asked, False
        return asked


def _check(file: Path, *, as_json: bool) -> int:
    from flawline.api.station import check_station

    plan = check_station(file)
    outputs = [one.kind for one in plan.outputs]
    if as_json:
        print_json(
            {
                "file": str(file),
                "recipe": str(plan.recipe),
                "records": plan.records is not None,
                "feeds": [feed.name for feed in plan.feeds],
                "outputs": outputs,
            }
        )
        return 0
    recorded = "with" if plan.records is not None else "without"
    typer.echo(
        f"{file} is right: {counted(len(plan.feeds), 'feed')}, {recorded} records, "
        f"{counted(len(outputs), 'output')}" + (f" ({', '.join(outputs)})" if outputs else "")
    )
    next_step(f"flawline station {file}")
    return 0
