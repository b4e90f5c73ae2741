"""Poll the records forever, retrying while the database or the disk is unavailable."""

from __future__ import annotations

import time
from collections.abc import Callable

from flawline.data.interrupt import held_interrupt
from flawline.errors import FlawlineError, StoreError
from flawline.jobs.chart.watch import Progress, Watch


def follow(
    watch: Watch,
    draw: Callable[[Progress], None],
    *,
    every: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Read and draw every `every` seconds until an exception such as Ctrl-C ends it.

    While the database or the disk is unavailable, it reports the error once and retries.

    Raises:
        FlawlineError: an error that retrying cannot resolve.
    """
    failing = ""
    while True:
        # An exception of Ctrl-C raised anywhere could meet a callback that swallows it.
        with held_interrupt() as interrupt:
            try:
                draw(watch.read())
                if failing:
                    say("going on")
                failing = ""
            except (StoreError, OSError) as error:
                failing = _report(error, failing, say)
        if interrupt.asked:
            raise KeyboardInterrupt
        sleep(every)


def _report(error: StoreError | OSError, failing: str, say: Callable[[str], None]) -> str:
    if isinstance(error, StoreError) and not error.transient:
        raise error
    text = error.message if isinstance(error, FlawlineError) else str(error)
    if text != failing:
        say(f"{text}; trying again")
    return text
