"""Watch a measure of records: judge each new point once; signals are sent as alerts and stored."""

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
from flawline.jobs.chart.arriving_rows import Rows, form_points, joined_rows, split_rows
from flawline.jobs.chart.cautions import FEW
from flawline.jobs.chart.checkpoint import CheckpointState, read_checkpoint, write_checkpoint
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.growing_chart import GrowingChart, drawn_chart, grow
from flawline.jobs.chart.new_alerts import NewAlerts, find_new_alerts
from flawline.jobs.chart.phases import learn_limits
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series import Series, cut_series
from flawline.jobs.chart.short_runs import known_products
from flawline.jobs.chart.stored_series import StoredSeries, with_set_aside
from flawline.jobs.chart.watch_settings import WatchSettings
from flawline.outputs import Alert, Dispatch
from flawline.records.alerts import StoredAlert
from flawline.records.arrived import Arrived
from flawline.records.store import Store

CHECKPOINT = "watch.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """Result of a reading: points judged, alerts sent, points missing for Phase I, and rows that gave no point."""

    points: int = 0
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    lacking: int = 0
    skipped: tuple[Skipped, ...] = ()


class Watch:
    """Judge the new points of a measure by fixed limits; for one thread.

    The checkpoint `watch.json` in its folder is written after each reading, so that a killed process can resume. An
    alert is stored together with the deliveries it owes to each output, before the checkpoint is written: a kill in
    between loses nothing, and a receiver that compares keys gets nothing twice.
    """

    def __init__(
        self,
        settings: WatchSettings,
        store: Store,
        folder: Path,
        outputs: Dispatch | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Resume from the checkpoint in `folder`, if there is one.

        Raises:
            UsageError: the folder holds a watch with other settings.
        """
        self.settings, self._store, self._clock = settings, store, clock
        self._outputs = Dispatch(()) if outputs is None else outputs
        self._path = folder / CHECKPOINT
        self._signature = settings.as_dict(store.name)
        self._state = read_checkpoint(self._path, self._signature)
        self.resumed = self._state is not None
        if self._state is None and settings.limits is not None:
            self._state = CheckpointState(self._begun(settings.limits, 0), Arrived())
        self._learning: tuple[Arrived, Rows] = Arrived(), {}
        self._changed = False
        # A new watch does not repeat alerts that another one has sent; later both send them.
        self._known = frozenset() if self.resumed else self._stored_keys()

    @property
    def chart(self) -> ControlChart | None:
        """Chart of the last points; None while there are no limits or no points."""
        state, settings = self._state, self.settings
        if state is None or not state.growing.labels:
            return None
        nothing = individuals([0.0])
        series = Series(
            settings.measure, nothing, (), (), what=settings.how.what, unit=settings.how.unit
        )
        return drawn_chart(state.growing, series, settings.kind, notes=state.notes)

    @property
    def growing(self) -> GrowingChart | None:
        """Limits and judged points; None while there are no limits."""
        return None if self._state is None else self._state.growing

    def open_alerts(self, count: int = 20) -> tuple[StoredAlert, ...]:
        """List the open alerts of this series, the latest first."""
        return self._store.alerts.list(only_open=True, series=self.settings.name, count=count)

    def read(self) -> Progress:
        """Judge the points that arrived since the last reading.

        Raises:
            StoreError: the records cannot be read or alerts not be stored; the next reading judges the rest.
            FlawlineError: the limits of Phase I cannot be estimated.
            OSError: the checkpoint cannot be written; the next reading tries again.
        """
        self._outputs.work()
        progress = self._learn() if self._state is None else Progress()
        if self._state is not None:
            progress = self._go_on(self._acknowledged(self._state), progress)
        if self._changed and self._state is not None:
            write_checkpoint(self._path, self._state, self._signature)
            self._changed = False
        return progress

    def _stored_keys(self) -> frozenset[tuple[str, int]]:
        stored = self._store.alerts.list(series=self.settings.name)
        first = {(one.alert.key, 1) for one in stored}
        return frozenset(first | {(one.alert.key, 2) for one in stored if one.escalated})

    def _commit(self, state: CheckpointState) -> None:
        self._state, self._changed = state, True
        self._known = frozenset()

    def _go_on(self, state: CheckpointState, progress: Progress) -> Progress:
        for arrived, columns in self._new(state.arrived):
            state, progress = self._take(state, columns, progress)
            # An error before this leaves the state unchanged, and the same points are judged again.
            if arrived is not None:
                state = replace(state, arrived=arrived)
                self._commit(state)
        return progress

    def _new(self, than: Arrived) -> Iterator[tuple[Arrived | None, Rows]]:
        """Read new rows with the arrival state; None while more rows of the same state follow."""
        settings = self.settings
        if than != Arrived():
            yield from self._store.newer(
                than, settings.measure, settings.where, settings.further_columns
            )
            return
        # First all stored rows in order of time; later readings take rows in order of arrival.
        now = self._store.arrived()
        for columns in self._store.series(
            settings.measure, settings.where, settings.further_columns, upto=now
        ):
            yield None, columns
        yield now, {}

    def _learn(self) -> Progress:
        """Collect the points of Phase I until there are enough, then freeze the limits."""
        settings = self.settings
        arrived, rows = self._learning
        for now, columns in self._new(arrived):
            arrived, rows = now or arrived, joined_rows(rows, columns)
        ready, left = split_rows(rows, settings.how)
        series, skipped = form_points(ready, settings.measure, settings.kind, settings.how, 0)
        count = 0 if series is None else len(series.labels)
        if settings.learn is None and count < FEW:
            raise UsageError(
                f"expected at least {FEW} stored points to estimate limits from, got {count}",
                hint="`phase1=N` waits for the first N points; or give `limits=FILE`",
            )
        learnt = settings.learn or count
        self._learning = arrived, rows
        if series is None or count < learnt:
            return Progress(lacking=learnt - count)
        state = replace(self._learnt(series, ready, learnt), arrived=arrived, rows=left)
        progress = Progress(points=learnt, skipped=skipped)
        if count > learnt:
            ids = [ready["id"][row] for row in series.rows[learnt:]]
            later = cut_series(series, learnt, count)
            state, progress = self._judge(state, later, ids, progress)
        self._learning = Arrived(), {}
        self._commit(state)
        return progress

    def _learnt(self, series: Series, rows: Rows, count: int) -> CheckpointState:
        """Return the state after Phase I."""
        first = cut_series(series, 0, count)
        ids = [rows["id"][row] for row in first.rows]
        entries = self._store.charts.of(self.settings.name)
        stored = StoredSeries(
            self.settings.name, first, tuple((number,) for number in ids), (), entries
        )
        first, estimation = with_set_aside(stored, self.settings.estimation)
        limits, notes = learn_limits(first, self.settings.kind, self.settings.rules, estimation)
        growing, _ = grow(self._begun(limits, count), first, ids)
        return CheckpointState(growing, Arrived(), notes=notes)

    def _begun(self, limits: ControlLimits, learnt: int) -> GrowingChart:
        return GrowingChart(limits, self.settings.rules, learnt, self.settings.drawn)

    def _take(
        self, state: CheckpointState, columns: Rows, progress: Progress
    ) -> tuple[CheckpointState, Progress]:
        """Judge the points completed by new rows."""
        settings = self.settings
        ready, left = split_rows(joined_rows(state.rows, columns), settings.how)
        seen = state.growing.state.seen
        series, skipped = form_points(ready, settings.measure, settings.kind, settings.how, seen)
        progress = replace(progress, skipped=progress.skipped + skipped)
        if series is not None:
            ids = [ready["id"][row] for row in series.rows]
            state, progress = self._judge(state, series, ids, progress)
        return replace(state, rows=left), progress

    def _judge(
        self, state: CheckpointState, series: Series, ids: Sequence[int], progress: Progress
    ) -> tuple[CheckpointState, Progress]:
        """Judge points in pieces, so that every point that an alert names is still drawn."""
        id_of = dict(zip(series.rows, ids, strict=True))
        known, skipped = known_products(series, state.growing.limits)
        progress = replace(progress, skipped=progress.skipped + skipped)
        if known is None:
            return state, progress
        series, ids = known, [id_of[row] for row in known.rows]
        piece = self.settings.drawn - LONGEST_SPAN
        more = {
            "measure": self.settings.measure,
            "unit": self.settings.how.unit,
            "store": self._store.name,
        }
        for start in range(0, len(series.labels), piece):
            some = cut_series(series, start, start + piece)
            growing, signals = grow(state.growing, some, ids[start : start + piece])
            episodes, alerts = find_new_alerts(
                state.episodes, self.settings.name, growing, signals, self._clock(), more
            )
            new = [one for one in alerts.events if (one.key, one.level) not in self._known]
            self._send(new, alerts)
            state = replace(state, growing=growing, episodes=episodes)
            progress.messages.extend(event.as_dict() for event in new)
            progress = replace(progress, points=progress.points + len(some.labels))
        return state, progress

    def _send(self, events: Sequence[Alert], alerts: NewAlerts) -> None:
        owed = self._outputs.owed(events)
        try:
            self._store.alerts.add(alerts.raised, alerts.escalated, owed=owed)
        except StoreError:
            # Alerts are sent even if the records cannot be written; no second copy is sent later.
            for event in events:
                self._outputs.tell(event)
            raise
        self._outputs.work()

    def _acknowledged(self, state: CheckpointState) -> CheckpointState:
        """Add the acknowledgements made since; acknowledged alerts are not escalated."""
        episodes = state.episodes
        waiting = [key for key, alert in episodes.items() if not alert.acknowledged_by]
        for key, one in self._store.alerts.acknowledged(waiting).items():
            episodes = acknowledge(
                episodes, key, by=one.who, at=one.when.isoformat(), note=one.note
            )
        return replace(state, episodes=episodes)
