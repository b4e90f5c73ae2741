"""Watch a measure of records: judge each new point once, and send and keep the alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flawline.core.spc.alerts import acknowledge
from flawline.core.spc.chart_points import individuals
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rule_table import LONGEST_SPAN
from flawline.errors import StoreError, UsageError
from flawline.jobs.chart.alarms import Alarms, find_alarms
from flawline.jobs.chart.chart_series import FEW
from flawline.jobs.chart.checkpoint import Standing, read_checkpoint, write_checkpoint
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.gathering import Rows, form_points, joined_rows, split_rows
from flawline.jobs.chart.growing import Growing, drawn_chart, grow
from flawline.jobs.chart.phases import learn_limits
from flawline.jobs.chart.series import Series, cut_series
from flawline.jobs.chart.task import Task
from flawline.outputs import Alert, Dispatch
from flawline.records.alerts import StoredAlert
from flawline.records.arrived import Arrived
from flawline.records.store import Store

CHECKPOINT = "watch.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """After a reading: new points that were judged, alerts that were sent, and points that Phase I still lacks."""

    points: int = 0
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    lacking: int = 0


class Watch:
    """A measure of records whose new points are judged by fixed limits; for one thread.

    Where it stands is in `watch.json` in its folder after each reading, so that a killed process goes on from there. An
    alert is kept in the store together with what every output is owed, and before the checkpoint is written: a kill in
    between loses nothing, and sends nothing twice to a receiver that looks at keys.
    """

    def __init__(
        self,
        task: Task,
        store: Store,
        folder: Path,
        outputs: Dispatch | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Go on from the checkpoint in `folder`, if there is one.

        Raises:
            UsageError: the folder holds the watch of something else.
        """
        self.task, self._store, self._clock = task, store, clock
        self._outputs = Dispatch(()) if outputs is None else outputs
        self._path = folder / CHECKPOINT
        self._signature = task.as_dict(store.name)
        self._standing = read_checkpoint(self._path, self._signature)
        self.resumed = self._standing is not None
        if self._standing is None and task.limits is not None:
            self._standing = Standing(self._begun(task.limits, 0), Arrived())
        self._learning: tuple[Arrived, Rows] = Arrived(), {}
        self._changed = False
        # A watch that begins anew does not ring for what another one has sent; later both do.
        self._known = frozenset() if self.resumed else self._kept()

    @property
    def chart(self) -> ControlChart | None:
        """The chart of the last points; None while there are no limits or no points."""
        standing, task = self._standing, self.task
        if standing is None or not standing.growing.labels:
            return None
        nothing = individuals([0.0])
        series = Series(task.measure, nothing, (), (), what=task.how.what, unit=task.how.unit)
        return drawn_chart(standing.growing, series, task.kind, notes=standing.notes)

    @property
    def growing(self) -> Growing | None:
        """The limits, and what was judged by them; None while there are no limits."""
        return None if self._standing is None else self._standing.growing

    def open_alerts(self, count: int = 20) -> tuple[StoredAlert, ...]:
        """The alerts of this series that nobody has acknowledged, the latest first."""
        return self._store.alerts.list(only_open=True, series=self.task.name, count=count)

    def read(self) -> Progress:
        """Judge what came since the last reading.

        Raises:
            StoreError: the records cannot be read, or alerts not be kept; what was not judged will be the next time.
            FlawlineError: the limits of Phase I cannot be estimated.
            OSError: the checkpoint cannot be written; the next reading tries again.
        """
        self._outputs.work()
        progress = self._learn() if self._standing is None else Progress()
        if self._standing is not None:
            progress = self._go_on(self._acknowledged(self._standing), progress)
        if self._changed and self._standing is not None:
            write_checkpoint(self._path, self._standing, self._signature)
            self._changed = False
        return progress

    def _kept(self) -> frozenset[tuple[str, int]]:
        kept = self._store.alerts.list(series=self.task.name)
        first = {(one.alert.key, 1) for one in kept}
        return frozenset(first | {(one.alert.key, 2) for one in kept if one.escalated})

    def _commit(self, standing: Standing) -> None:
        self._standing, self._changed = standing, True
        self._known = frozenset()

    def _go_on(self, standing: Standing, progress: Progress) -> Progress:
        for arrived, columns in self._new(standing.arrived):
            standing, progress = self._take(standing, columns, progress)
            # Whatever fails before leaves all as it was, and the same points are judged again.
            if arrived is not None:
                standing = replace(standing, arrived=arrived)
                self._commit(standing)
        return progress

    def _new(self, than: Arrived) -> Iterator[tuple[Arrived | None, Rows]]:
        """Rows, and what was there with them; None where only more of them make it whole."""
        task = self.task
        if than != Arrived():
            yield from self._store.newer(than, task.measure, task.where, task.beside)
            return
        # All that is there, in the order of time; later readings take what comes as it comes.
        now = self._store.arrived()
        for columns in self._store.series(task.measure, task.where, task.beside, upto=now):
            yield None, columns
        yield now, {}

    def _learn(self) -> Progress:
        """Gather the points of Phase I until there are enough; then freeze the limits."""
        task = self.task
        arrived, rows = self._learning
        for now, columns in self._new(arrived):
            arrived, rows = now or arrived, joined_rows(rows, columns)
        ready, left = split_rows(rows, task.how)
        series = form_points(ready, task.measure, task.kind, task.how, 0)
        count = 0 if series is None else len(series.labels)
        if task.learn is None and count < FEW:
            raise UsageError(
                f"limits are to come from the points that are there, and there are {count}",
                hint="`phase1=N` waits for the first N points; or give `limits=FILE`",
            )
        learnt = task.learn or count
        self._learning = arrived, rows
        if series is None or count < learnt:
            return Progress(lacking=learnt - count)
        standing = replace(self._learnt(series, ready, learnt), arrived=arrived, rows=left)
        progress = Progress(points=learnt)
        if count > learnt:
            ids = [ready["id"][row] for row in series.rows[learnt:]]
            later = cut_series(series, learnt, count)
            standing, progress = self._judge(standing, later, ids, progress)
        self._learning = Arrived(), {}
        self._commit(standing)
        return progress

    def _learnt(self, series: Series, rows: Rows, count: int) -> Standing:
        """Where the watch stands after Phase I."""
        first = cut_series(series, 0, count)
        limits, notes = learn_limits(first, self.task.kind, self.task.rules, self.task.estimation)
        ids = [rows["id"][row] for row in first.rows]
        growing, _ = grow(self._begun(limits, count), first, ids)
        return Standing(growing, Arrived(), notes=notes)

    def _begun(self, limits: ControlLimits, learnt: int) -> Growing:
        return Growing(limits, self.task.rules, learnt, self.task.drawn)

    def _take(
        self, standing: Standing, columns: Rows, progress: Progress
    ) -> tuple[Standing, Progress]:
        """Judge the points that rows complete."""
        task = self.task
        ready, left = split_rows(joined_rows(standing.rows, columns), task.how)
        seen = standing.growing.state.seen
        series = form_points(ready, task.measure, task.kind, task.how, seen)
        if series is not None:
            ids = [ready["id"][row] for row in series.rows]
            standing, progress = self._judge(standing, series, ids, progress)
        return replace(standing, rows=left), progress

    def _judge(
        self, standing: Standing, series: Series, ids: Sequence[int], progress: Progress
    ) -> tuple[Standing, Progress]:
        """Judge points a piece at a time, so that all that an alert names is among those that are kept."""
        piece = self.task.drawn - LONGEST_SPAN
        more = {
            "measure": self.task.measure,
            "unit": self.task.how.unit,
            "store": self._store.name,
        }
        for start in range(0, len(series.labels), piece):
            some = cut_series(series, start, start + piece)
            growing, hits = grow(standing.growing, some, ids[start : start + piece])
            book, alarms = find_alarms(
                standing.book, self.task.name, growing, hits, self._clock(), more
            )
            new = [one for one in alarms.events if (one.key, one.level) not in self._known]
            self._send(new, alarms)
            standing = replace(standing, growing=growing, book=book)
            progress.messages.extend(event.as_dict() for event in new)
            progress = replace(progress, points=progress.points + len(some.labels))
        return standing, progress

    def _send(self, events: Sequence[Alert], alarms: Alarms) -> None:
        owed = self._outputs.owed(events)
        try:
            self._store.alerts.add(alarms.raised, alarms.escalated, owed=owed)
        except StoreError:
            # Records that cannot be written keep nobody from being told; the senders send no second copy later.
            for event in events:
                self._outputs.tell(event)
            raise
        self._outputs.work()

    def _acknowledged(self, standing: Standing) -> Standing:
        """With what people have acknowledged since; that is not escalated."""
        book = standing.book
        waiting = [key for key, alert in book.items() if not alert.acknowledged_by]
        for key, one in self._store.alerts.acknowledged(waiting).items():
            book = acknowledge(book, key, by=one.who, at=one.when.isoformat(), note=one.note)
        return replace(standing, book=book)
