"""Watch on and on, through times when the records or the disk are away."""

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
    """Read and draw every so many seconds, until an exception such as Ctrl-C ends it.

    While the records are away, or the disk has no room for the pictures, it says so once and tries on.

    Raises:
        FlawlineError: what trying again does not mend.
    """
    failing = ""
    while True:
        # Raised anywhere, the exception of Ctrl-C may meet a callback that swallows it.
        with held_interrupt() as interrupt:
            try:
                draw(watch.read())
                if failing:
                    say("going on")
                failing = ""
            except (StoreError, OSError) as error:
                failing = _said(error, failing, say)
        if interrupt.asked:
            raise KeyboardInterrupt
        sleep(every)


def _said(error: StoreError | OSError, failing: str, say: Callable[[str], None]) -> str:
    if isinstance(error, StoreError) and not error.transient:
        raise error
    told = error.message if isinstance(error, FlawlineError) else str(error)
    if told != failing:
        say(f"{told}; trying again")
    return told
