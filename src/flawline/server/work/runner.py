"""Run long work one after the other, with progress that anybody can ask for."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition
from typing import Any, Literal, TypeVar

from flawline.data.json_file import parse_json
from flawline.data.whole_file import write_text
from flawline.errors import FlawlineError
from flawline.server.credentials import new_secret
from flawline.server.errors import ServerError

T = TypeVar("T")
_LOG = logging.getLogger("flawline.server")
MOST_WAITING = 16
_STOPPED = FlawlineError(
    "the server was stopped before this was done", hint="start it again", code="stopped"
).as_dict()
STEP_SECONDS = 0.2
OVER = ("done", "failed", "cancelled")
MOST_STAGES = 200
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a job: `done` of `total` steps, None where that is not known, in `seconds` so far."""

    title: str
    done: int = 0
    total: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work.

    `done` of `total` steps of the stage `doing` are finished, `total` None where it is not known. `result` is what the
    work gave, for JSON; `error` the reason where it failed. `stages` are all that it did so far, in order, and `live`
    what the work tells of itself while it runs.
    """

    id: str
    kind: str
    title: str
    who: str
    created: str
    state: JobState = "waiting"
    doing: str = ""
    done: int = 0
    total: int | None = None
    seconds_left: float | None = None
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    stages: tuple[Stage, ...] = ()
    live: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Convert to plain values."""
        return asdict(self)


class Cancelled(FlawlineError):
    """The work was cancelled."""

    code = "cancelled"


Work = Callable[["JobTrack", Path], dict[str, Any]]
"""From something that shows progress and a folder for files to a result for JSON."""


class JobTrack:
    """Progress of a job, as every job of Flawline takes it (`flawline.types.Track`)."""

    def __init__(self, runner: JobRunner, number: str) -> None:
        self._runner, self._id = runner, number

    def __call__(self, items: Iterable[T], *, title: str, total: int | None = None) -> Iterator[T]:
        """Yield the items and show how many are done.

        Raises:
            Cancelled: somebody cancelled the job.
        """
        began = shown = time.monotonic()
        self._runner.show(self._id, title, 0, total, None)
        for number, item in enumerate(items, start=1):
            yield item
            now = time.monotonic()
            if now - shown >= STEP_SECONDS:
                shown = now
                left = None if not total else (now - began) / number * (total - number)
                self._runner.show(self._id, title, number, total, left)
        if total is not None:
            self._runner.show(self._id, title, total, total, 0.0)

    def tell(self, **live: Any) -> None:
        """Tell more of the work than its progress: values for JSON, which join those told before.

        Raises:
            Cancelled: somebody cancelled the job.
        """
        self._runner.tell(self._id, live)


class JobRunner:
    """Jobs one after the other, each with a folder; those that are over stay after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changed = Condition()
        self._jobs: dict[str, Job] = dict(_left(folder))
        self._cancelled: set[str] = set()
        self._began: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="job")

    def start(self, kind: str, title: str, who: str, work: Work) -> Job:
        """Line up a job.

        Raises:
            ServerError: ("busy") too many wait.
        """
        with self._changed:
            waiting = sum(job.state in ("waiting", "running") for job in self._jobs.values())
            if waiting >= MOST_WAITING:
                raise ServerError(
                    f"{waiting} jobs wait already",
                    hint="wait until some are done, or cancel them",
                    code="busy",
                    retry_after=30,
                )
            number = new_secret()[:16].replace("-", "a").replace("_", "b")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            job = self._jobs[number] = Job(number, kind, title, who, now)
        self.place(number).mkdir(parents=True)
        self._write(number)
        self._pool.submit(self._run, number, work)
        return job

    def place(self, number: str) -> Path:
        """Name the folder of a job."""
        return self.folder / number

    def get(self, number: str) -> Job:
        """Return a job.

        Raises:
            ServerError: ("job-unknown") there is none of this name.
        """
        found = self._jobs.get(number)
        if found is None:
            raise ServerError(f"there is no job {number[:40]!r}", code="job-unknown")
        return found

    def list(self, kind: str | None = None) -> tuple[Job, ...]:
        """List the jobs of a kind, the newest first."""
        found = [job for job in self._jobs.values() if kind in (None, job.kind)]
        return tuple(sorted(found, key=lambda job: (job.created, job.id), reverse=True))

    def cancel(self, number: str) -> Job:
        """Ask a job to stop; one that is over stays."""
        job = self.get(number)
        if job.state == "waiting":
            self._set(number, state="cancelled")
        if job.state in ("waiting", "running"):
            self._cancelled.add(number)
        return self.get(number)

    def remove(self, number: str) -> None:
        """Remove a job that is over, with its files.

        Raises:
            ServerError: ("busy") it is not over.
        """
        if self.get(number).state in ("waiting", "running"):
            raise ServerError("the job is not over", hint="cancel it first", code="busy")
        with self._changed:
            del self._jobs[number]
        shutil.rmtree(self.place(number), ignore_errors=True)

    def wait(self, number: str, before: Job, seconds: float) -> Job:
        """Wait until a job is another than `before`, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs.get(number) != before, seconds)
        return self.get(number)

    def show(
        self, number: str, doing: str, done: int, total: int | None, left: float | None
    ) -> None:
        """Note the progress of a job.

        Raises:
            Cancelled: somebody cancelled it.
        """
        self._check(number)
        job = self._jobs[number]
        now = time.monotonic()
        if not job.stages or job.doing != doing:
            self._began[number] = now
            stages = (*job.stages[-MOST_STAGES:], Stage(doing))
        else:
            stages = job.stages
        seconds = round(now - self._began[number], 1)
        stages = (*stages[:-1], Stage(doing, done, total, seconds))
        self._set(number, doing=doing, done=done, total=total, seconds_left=left, stages=stages)

    def tell(self, number: str, live: dict[str, Any]) -> None:
        """Note what a job tells of itself; Cancelled where somebody cancelled it."""
        self._check(number)
        self._set(number, live={**(self._jobs[number].live or {}), **live})

    def close(self) -> None:
        """Cancel what waits or runs, and end."""
        for job in self._jobs.values():
            if job.state not in OVER:
                self._cancelled.add(job.id)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, number: str, work: Work) -> None:
        if number in self._cancelled:
            self._end(number, state="cancelled")
            return
        self._set(number, state="running")
        try:
            result = work(JobTrack(self, number), self.place(number))
        except Cancelled:
            self._end(number, state="cancelled")
        except FlawlineError as error:
            self._end(number, state="failed", error=error.as_dict())
        except Exception as error:  # the page shows that it is ours
            _LOG.exception("a job failed")
            text = f"unexpected {type(error).__name__}: {error}"
            fault = FlawlineError(text, hint="this is a fault of Flawline", code="internal")
            self._end(number, state="failed", error=fault.as_dict())
        else:
            self._end(number, state="done", result=result)

    def _check(self, number: str) -> None:
        if number in self._cancelled:
            raise Cancelled("cancelled")

    def _set(self, number: str, **changes: Any) -> None:
        with self._changed:
            self._jobs[number] = replace(self._jobs[number], **changes)
            self._changed.notify_all()

    def _end(self, number: str, **changes: Any) -> None:
        self._set(number, seconds_left=None, **changes)
        self._began.pop(number, None)
        self._write(number)

    def _write(self, number: str) -> None:
        write_text(self.place(number) / "job.json", json.dumps(self._jobs[number].as_dict()))


def _left(folder: Path) -> Iterator[tuple[str, Job]]:
    """Read the jobs that an earlier server left; those that it did not finish have failed."""
    for place in sorted(folder.glob("*/")):
        path = place / "job.json"
        if not path.is_file():
            shutil.rmtree(place, ignore_errors=True)
            continue
        document = parse_json(path.read_bytes())
        stages = tuple(Stage(**one) for one in document.get("stages", ()))
        job = Job(**{**document, "id": place.name, "stages": stages})
        yield place.name, job if job.state in OVER else replace(job, state="failed", error=_STOPPED)
