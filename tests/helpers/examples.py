"""How many examples a property test tries: `make explore` takes many times as many as `make test`, in a set time.

A test ends early, and passes, where its time is up before its examples are: 0.7 s for each of `TIMES`. A failure that
was found is made small nevertheless, however long that takes.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis.errors import UnsatisfiedAssumption

TIMES = int(os.environ.get("FLAWLINE_EXPLORE", "1"))
EXPLORING = "FLAWLINE_EXPLORE" in os.environ
SECONDS = 0.7 * TIMES
MOST = 30
"""Examples of a property test in `make test`."""


def examples(count: int, **more: Any) -> settings:
    """Try `count` examples, at most `MOST` of them in `make test`; `more` is for hypothesis."""
    return settings(max_examples=TIMES * count if EXPLORING else min(count, MOST), **more)


def times(few: int, many: int) -> int:
    """Take `few` in `make test`, and `many` of what a test draws by itself in `make explore`."""
    return many if EXPLORING else few


class TimeIsUp(BaseException):
    """Ends a property test; hypothesis lets everything pass that is no Exception, as it does with Ctrl-C."""


def timed(
    test: Callable[..., Any], seconds: float, clock: Callable[[], float] = time.monotonic
) -> Callable[..., Any]:
    """Return a test that raises `TimeIsUp` at the first example after `seconds`, unless one has failed before."""
    began: list[float] = []
    failed: list[Exception] = []

    @functools.wraps(test)
    def limited(*given: Any, **named: Any) -> Any:
        began or began.append(clock())
        if not failed and clock() - began[0] > seconds:
            raise TimeIsUp
        try:
            return test(*given, **named)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            failed.append(error)
            raise

    return limited
