"""Join an inspector, records and outputs: a frame goes in, it is judged, recorded and sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from flawline.data.array_file import npy_bytes
from flawline.data.as_picture import as_picture, picture_bytes
from flawline.data.frame import Frame
from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits
from flawline.data.process import DIMENSIONS
from flawline.data.stream import in_order
from flawline.errors import FlawlineError, StoreError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.inspection import Inspection
from flawline.outputs import Dispatch, Health, Judged, Output
from flawline.recipe import check_ready
from flawline.records.pictures import Pictures
from flawline.station.kept_recipe import keep_recipe
from flawline.station.outcome import Outcome
from flawline.types import EMPTY, Picture, Unjudged

if TYPE_CHECKING:
    from flawline.records.store import Store
    from flawline.records.write import Added
    from flawline.records.writer import Writer

KEEP = ("flagged", "all", "none")


class Station:
    """Where pictures are judged, recorded and sent; use as a context manager, from any number of threads.

    With records every frame is in them within a second, with its picture and map where they are to be kept, and the
    outputs are owed a `Judged` event in the same transaction. Without records events are sent directly, and what could
    not be sent by the end is reported.
    """

    def __init__(
        self,
        inspector: Inspector,
        *,
        records: Store | None = None,
        pictures: Pictures | None = None,
        keep: str = "flagged",
        outputs: Sequence[Output] = (),
        constant: Mapping[str, str] = EMPTY,
        spool: Path | None = None,
        limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Open a station.

        Args:
            inspector: what judges.
            records: where inspections go; None to keep none. It stays open when the station is closed.
            pictures: where pictures and maps are kept with the records.
            keep: which of them: those not accepted ("flagged"), "all" or "none".
            outputs: where events go; the station opens and closes them.
            constant: names of the process, such as station and lot, for frames that do not say.
            spool: a file that belongs to this station alone, in which inspections survive a killed process.
            limits: what a picture may unpack to.
            say: writes a line for people about outputs; called from other threads too.

        Raises:
            UsageError: an unknown choice or name, or pictures to be kept and no place for them.
            ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
            StoreError: the records or pictures cannot be written.
        """
        _check_choices(keep, constant, need_place=records is not None and pictures is None)
        check_ready(inspector.recipe)
        self.inspector, self.constant, self._keep = inspector, constant, keep
        self._limits, self._pictures = limits, None if records is None else pictures
        self.name = constant.get("station", "")
        if records is not None and pictures is not None and keep != "none":
            keep_recipe(records, pictures, inspector.recipe)
        owing = None if records is None else records.deliveries
        self._writer: Writer | None = None
        with ExitStack() as opened:
            self._outputs = opened.enter_context(
                Dispatch(outputs, owing, owner=f"station {self.name}", health=True, say=say)
            )
            # Told when the records have everything, so that it is the last event.
            opened.callback(lambda: self._outputs.tell(self._health("closed")))
            if records is not None:
                from flawline.records.writer import Writer

                writer = Writer(records, spool=spool, notice=partial(self._notice, records.name))
                self._writer = opened.enter_context(writer)
            self._opened = opened.pop_all()
        self._outputs.tell(self._health("opened"))

    def __enter__(self) -> Station:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def close(self) -> None:
        """Record and send what waits.

        Raises:
            StoreError: the records are away; what waits is in the spool.
        """
        self.__exit__(None, None, None)

    @property
    def kept(self) -> str:
        """Which pictures and maps are kept: "flagged", "all" or "none"."""
        return "none" if self._pictures is None else self._keep

    @property
    def remembers(self) -> bool:
        """Whether frames are recorded or sent."""
        return self._writer is not None or bool(self._outputs.addresses)

    @property
    def records_name(self) -> str:
        """The records as a person may see them; empty where none are kept."""
        return "" if self._writer is None else self._writer.store.name

    @property
    def added(self) -> Added | None:
        """How many inspections were new to the records, and known before; None where none are kept."""
        return None if self._writer is None else self._writer.added

    def inspect(self, frame: Frame) -> Inspection:
        """Judge a frame, record it and send what outputs are owed; from any thread.

        Raises:
            ImageError: the picture cannot be read, or does not suit the recipe; that is recorded too.
            StoreError: the records or pictures cannot be written.
        """
        outcome = self.look(frame)
        self.give(outcome)
        if outcome.inspection is None:
            assert outcome.error is not None
            raise outcome.error
        return outcome.inspection

    def run(
        self, feed: Iterable[Frame], *, workers: int | None = None, ahead: int | None = None
    ) -> Iterator[tuple[Frame, Inspection | Unjudged]]:
        """Inspect the frames of a feed on all cores, and record and yield them in the order of the feed.

        Args:
            feed: taken as it comes, in bounded memory.
            workers: threads, one more than cores by default.
            ahead: frames in flight at most, four per worker by default.

        Raises:
            StoreError: the records or pictures cannot be written.
        """
        for frame, outcome in in_order(feed, self.look, workers=workers, ahead=ahead):
            self.give(outcome)
            yield frame, outcome.inspection or unjudged(outcome)

    def look(self, frame: Frame) -> Outcome:
        """Judge a frame without recording or sending it; from any thread."""
        frame = _with_names(frame, self.constant)
        given: Any = frame.picture
        try:
            if callable(given):
                given = given()
            elif isinstance(given, str | PathLike):
                frame = frame if frame.name else replace(frame, name=Path(given).name)
                given = picture_bytes(given, max_bytes=self._limits.max_bytes)
            picture = as_picture(given, self.inspector.value_range, limits=self._limits)
            found = self.inspector.inspect(picture, name=frame.name)
        except StoreError:
            raise
        except FlawlineError as error:
            kept = given if self._wants(None) and isinstance(given, bytes) else None
            return Outcome(_told_apart(frame), datetime.now(UTC), error=error, file=kept)
        wanted = self._wants(found.verdict)
        return Outcome(
            frame,
            datetime.now(UTC),
            replace(found, picture=partial(_itself, picture)),
            notes=picture.notes,
            file=picture_bytes(given) if wanted else None,
            map=npy_bytes(found.map) if wanted else None,
        )

    def give(self, outcome: Outcome) -> Outcome:
        """Record an outcome and send what outputs are owed; from any thread, in the order of the calls.

        Returns:
            The outcome with the name of its map, and without what is kept now.

        Raises:
            StoreError: the records or pictures cannot be written.
        """
        if not self.remembers:
            return outcome
        name, picture = outcome.map_name, None
        if self._pictures is not None:
            picture = self._pictures.put(outcome.file) if outcome.file else None
            name = self._pictures.put(outcome.map) if outcome.map else name
        outcome = replace(outcome, file=None, map=None, map_name=name)
        record = outcome.record(self.inspector.recipe.sha256, picture)
        event = Judged.of(record)
        if self._writer is None:
            self._outputs.tell(event)
        else:
            self._writer.add(record, self._outputs.owed([event]))
        return outcome

    def flush(self) -> None:
        """Wait until all that was given is in the records.

        Raises:
            StoreError: they are away, or refuse it.
        """
        if self._writer is not None:
            self._writer.flush()

    def _wants(self, verdict: str | None) -> bool:
        """Whether the picture and map of an inspection are kept."""
        return self.kept == "all" or (self.kept == "flagged" and verdict != "accept")

    def _health(self, state: str) -> Health:
        return Health(datetime.now(UTC), "station", state, self.name)

    def _notice(self, name: str, error: StoreError | None) -> None:
        """Tell that the records are away, or back."""
        state, text = ("back", "") if error is None else ("away", error.message)
        self._outputs.tell(Health(datetime.now(UTC), "records", state, name, text))


def unjudged(outcome: Outcome) -> Unjudged:
    """Say why an outcome has no inspection."""
    assert outcome.error is not None
    return Unjudged(outcome.frame.name, outcome.error.code, outcome.error.message)


def _check_choices(keep: str, constant: Mapping[str, str], *, need_place: bool) -> None:
    if keep not in KEEP:
        raise UsageError(f"expected to keep {', '.join(KEEP)}, got {keep!r}")
    for name in constant:
        if name not in DIMENSIONS:
            raise UsageError(f"expected a name of {', '.join(DIMENSIONS)}, got {name!r}")
    if keep != "none" and need_place:
        raise UsageError("there is no place for pictures", hint="name one, or keep none of them")


def _with_names(frame: Frame, constant: Mapping[str, str]) -> Frame:
    lacking: dict[str, Any] = {k: v for k, v in constant.items() if getattr(frame, k) is None}
    return replace(frame, **lacking) if lacking else frame


def _told_apart(frame: Frame) -> Frame:
    """A frame that nothing tells from others, without even a picture's hash, gets a name of its own."""
    if frame.name or frame.captured or frame.key:
        return frame
    return replace(frame, name=f"unnamed, {datetime.now(UTC).isoformat()}")


def _itself(picture: Picture) -> Picture:
    return picture
