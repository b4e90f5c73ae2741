"""`flawline chart --watch`: the chart of records that keep arriving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from uuid import uuid4

from flawline.cli.console import note, print_json, warn
from flawline.cli.outputs import opened_outputs
from flawline.cli.series_options import print_skipped
from flawline.errors import FlawlineError, UsageError

if TYPE_CHECKING:
    from flawline.jobs.chart.watch import Progress, Watch
    from flawline.jobs.chart.watch_settings import WatchSettings
    from flawline.outputs import Dispatch
    from flawline.records.store import Store


@dataclass(frozen=True, slots=True)
class Watching:
    """How a chart is watched: seconds between readings, whether one reading is all, where alerts go."""

    every: float = 5.0
    once: bool = False
    alerts: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what would never rest."""
        if not 0.1 <= self.every <= 86_400:
            raise UsageError(f"--every takes 0.1 to 86400 seconds, got {self.every:g}")


def watch_chart(
    settings: WatchSettings,
    store: str,
    out: Path,
    how: Watching,
    *,
    freeze: Path | None,
    zones: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Keep the chart current; returns only with `once`: 1 for an alert, else 2 for a row that gave no point."""
    from flawline.jobs.chart.follow import follow
    from flawline.jobs.chart.watch import Watch
    from flawline.records import open_store

    if as_json and not how.once:
        raise UsageError("--json prints one document: with --watch it needs --once")
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        owner = opened.enter_context(only_watch(out))
        records = opened.enter_context(open_store(store, create=False))
        outputs = opened.enter_context(_outputs(how.alerts, records, owner, out))
        watch = Watch(settings, records, out, outputs)
        drawing = _Drawing(watch, out, how, freeze, zones=zones, quiet=quiet)
        if how.once:
            progress = watch.read()
            drawing(progress)
            return _finish(drawing, progress, as_json=as_json)
        note(f"watching {settings.name}; Ctrl-C ends it: {out / 'chart.html'}", quiet=quiet)
        try:
            follow(watch, drawing, every=how.every, say=warn)
        finally:
            # What is written stays usable, and says that nobody goes on writing it.
            with suppress(OSError, FlawlineError):
                drawing.end()
    return 0


def _finish(drawing: _Drawing, progress: Progress, *, as_json: bool) -> int:
    drawing.end()
    if as_json:
        print_json({**drawing.document, "new": progress.points, "alerts": list(progress.messages)})
    return 1 if progress.messages else 2 if progress.skipped else 0


class _Drawing:
    """Writes the chart after each reading, and says what there is to say."""

    def __init__(
        self,
        watch: Watch,
        out: Path,
        how: Watching,
        freeze: Path | None,
        *,
        zones: bool,
        quiet: bool,
    ) -> None:
        self.watch, self._out, self._how, self._freeze = watch, out, how, freeze
        self._zones, self._quiet = zones, quiet
        self._lacking, self._begun = 0, False
        self.document: dict[str, Any] = {}

    def __call__(self, progress: Progress) -> None:
        """Draw after a reading."""
        print_skipped(progress.skipped)
        if progress.lacking and progress.lacking != self._lacking:
            note(f"{progress.lacking} more points until there are limits", quiet=self._quiet)
        self._lacking = progress.lacking
        if self.watch.growing is not None and not self._begun:
            self._begin()
        self._write(anew=progress.points > 0, every=self._how.every)

    def end(self) -> None:
        """Write the page as that of a watch that has ended."""
        self._write(anew=False, every=None)

    def _begin(self) -> None:
        from flawline.jobs.chart.chart_files import write_limits

        growing, chart = self.watch.growing, self.watch.chart
        assert growing is not None
        self._begun = True
        if self.watch.resumed:
            note(f"going on after {growing.state.seen} points", quiet=self._quiet)
        elif growing.learnt:
            note(f"limits from {growing.learnt} points, frozen", quiet=self._quiet)
        for text in () if chart is None or self.watch.resumed else chart.notes:
            note(text, quiet=self._quiet)
        if self._freeze and growing.learnt:
            write_limits(growing.limits, self._freeze)

    def _write(self, *, anew: bool, every: float | None) -> None:
        from flawline.jobs.chart.chart_report import WatchStatus, rewrite_page, write_chart

        chart, growing = self.watch.chart, self.watch.growing
        if chart is None or growing is None:
            return
        told = WatchStatus(datetime.now(UTC), every, growing.state.seen, self.watch.open_alerts())
        if anew or not (self.document and (self._out / "chart.svg").is_file()):
            written = write_chart(chart, self._out, zones=self._zones, watched=told)
            self.document = written.document
        else:
            rewrite_page(chart, self._out, told)


def _outputs(alerts: Sequence[str], records: Store, owner: str, out: Path) -> Dispatch:
    """Open the outputs; what still waits in queue files of version 0.1 becomes owed."""
    from flawline.outputs import Dispatch
    from flawline.outputs.old_queue import take_over

    dispatch = Dispatch(opened_outputs(alerts), records.deliveries, owner=owner, say=warn)
    for text, address in zip(alerts, dispatch.addresses, strict=True):
        take_over(out, text, address, records)
    return dispatch


@contextmanager
def only_watch(out: Path) -> Iterator[str]:
    """Refuse a second watch in the same folder; gives what tells the folder from others, wherever it is moved."""
    with (out / ".watch.lock").open("a+") as file:
        try:
            import fcntl
        except ImportError:  # pragma: no cover - Windows
            yield _identity(file)
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"another watch writes to {out}", hint="give another folder with --out"
            ) from error
        yield _identity(file)


def _identity(file: TextIO) -> str:
    """Return what a lock file holds, which is drawn when it is made."""
    file.seek(0)
    found = file.read(32)
    if len(found) < 32:
        found = uuid4().hex
        file.truncate(0)
        file.write(found)
        file.flush()
    return found
