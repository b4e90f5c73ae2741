"""Send a marked trial event through an output, and tell what came back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flawline.errors import FlawlineError
from flawline.outputs.events import Event, Health, Judged
from flawline.outputs.output import Output, wants

WORDS = "a trial by a person: no part was judged"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial: whether the event arrived, after how many seconds, and the reason where it did not."""

    output: str
    arrived: bool
    seconds: float
    reason: str = ""


def try_output(
    output: Output, station: str = "", clock: Callable[[], float] = time.monotonic
) -> Trial:
    """Open an output, send one trial event, and close it."""
    begun = clock()
    try:
        output.open()
        try:
            failure = output.send(trial_event(output, station).as_dict())
        finally:
            output.close()
    except FlawlineError as error:
        return Trial(output.name, False, clock() - begun, error.message)
    except Exception as error:  # an output with an error of its own has failed too
        return Trial(output.name, False, clock() - begun, f"{type(error).__name__}: {error}")
    reason = "" if failure is None else failure.reason
    return Trial(output.name, failure is None, clock() - begun, reason)


def trial_event(output: Output, station: str) -> Event:
    """Make an event that says that it is a trial.

    It is of a picture without a verdict where the output takes those, else the health of the station, with the state
    "trial". Live outputs never get an answer for a trial: a gate might move.
    """
    now = datetime.now(UTC)
    if wants(output, "judged"):
        names = {"station": station} if station else {}
        return Judged(f"trial/{now.isoformat()}", now, "trial", None, (WORDS,), names=names)
    return Health(now, "station", "trial", station, WORDS)
