"""Answer every trigger of a line once and in time: with the verdict, or at the deadline without it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from flawline.errors import UsageError
from flawline.outputs.events import Answer
from flawline.types import EMPTY, Verdict

LATE: tuple[Verdict, ...] = ("reject", "review")
MOST_TIMES = 100_000
"""Times from trigger to answer that are held for the percentiles: the latest ones."""


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """When a line wants its answer.

    `within` is the time in seconds from trigger to answer, None for no limit. `late` is the answer for a part without a
    verdict by then, and for one that cannot be judged.

    Raises:
        UsageError: a time out of range, or another answer than "reject" or "review".
    """

    within: float | None = None
    late: Verdict = "reject"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; a late part is never accepted."""
        if self.within is not None and not 0 < self.within <= 3600:
            raise UsageError(f"expected `within` above 0 and at most 3600 s, got {self.within:g}")
        if self.late not in LATE:
            raise UsageError(f"expected `late` to be {' or '.join(LATE)}, got {self.late!r}")


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Times from trigger to answer, s, of `count` answers; `late` of them were given without a verdict.

    The percentiles are those of the latest 100,000 answers, by the definition of `numpy.quantile`.
    """

    count: int
    late: int
    p50: float
    p99: float
    worst: float


@dataclass(eq=False, slots=True)
class Trigger:
    """A part that waits for its answer since `since`, in seconds of `time.monotonic`."""

    image: str
    since: float
    answered: bool = field(default=False, init=False)


class Answering:
    """Answers that are given once each, from any thread; `close` ends it."""

    def __init__(
        self,
        settings: AnswerSettings,
        tell: Callable[[Answer], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        recipe: str = "",
        names: Mapping[str, str] = EMPTY,
    ) -> None:
        """Begin to watch deadlines.

        Args:
            settings: the deadline, and the answer where it passes.
            tell: takes each answer at once, in the thread that has it; it must not wait.
            clock: seconds that never go back.
            recipe, names: of all answers.
        """
        self.settings, self._tell, self._clock = settings, tell, clock
        self.recipe, self._names = recipe, names
        self._changed = threading.Condition()
        # All deadlines are equally long, so the first trigger is the first that is due.
        self._waiting: deque[Trigger] = deque()
        self._times: deque[float] = deque(maxlen=MOST_TIMES)
        self._count = self._late = 0
        self._worst = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        if settings.within is not None:
            self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
            self._thread.start()

    @property
    def times(self) -> AnswerTimes | None:
        """Summarise the answers so far; None where there are none."""
        with self._changed:
            if not self._count:
                return None
            p50, p99 = np.quantile(np.array(self._times), (0.5, 0.99))
            return AnswerTimes(self._count, self._late, float(p50), float(p99), self._worst)

    def trigger(self, image: str, since: float | None = None) -> Trigger:
        """Begin the time of a part, now or at `since`."""
        trigger = Trigger(image, self._clock() if since is None else since)
        if self.settings.within is not None:
            with self._changed:
                self._waiting.append(trigger)
                self._changed.notify()
        return trigger

    def answer(self, trigger: Trigger, verdict: Verdict | None, part: str | None = None) -> None:
        """Give the verdict of a part, unless the deadline did; None where it could not be judged."""
        self._give(trigger, verdict or self.settings.late, late=False, part=part)

    def drop(self, trigger: Trigger) -> None:
        """End the time of what was no part: it gets no answer."""
        with self._changed:
            trigger.answered = True

    def close(self) -> None:
        """End; parts that wait get no answer any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _give(self, trigger: Trigger, verdict: Verdict, *, late: bool, part: str | None) -> None:
        with self._changed:
            if trigger.answered or self._closed:
                return
            trigger.answered = True
            seconds = self._clock() - trigger.since
            self._count += 1
            self._late += late
            self._times.append(seconds)
            self._worst = max(self._worst, seconds)
            answer = Answer(
                number=self._count,
                time=datetime.now(UTC),
                image=trigger.image,
                part=part,
                verdict=verdict,
                late=late,
                seconds=seconds,
                late_count=self._late,
                recipe=self.recipe,
                names=self._names,
            )
            # Under the lock, so that answers are told in the order of their numbers.
            self._tell(answer)

    def _watch(self) -> None:
        """Answer what is due, until closed."""
        assert self.settings.within is not None
        while True:
            with self._changed:
                while self._waiting and self._waiting[0].answered:
                    self._waiting.popleft()
                if self._closed:
                    return
                first = self._waiting[0] if self._waiting else None
                left = (
                    None if first is None else self.settings.within - (self._clock() - first.since)
                )
                if first is None or (left is not None and left > 0):
                    self._changed.wait(left)
                    continue
            self._give(first, self.settings.late, late=True, part=None)
