"""The station: judge frames, record them and send events."""

from __future__ import annotations

import hashlib
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
from flawline.data.memory_share import memory_share
from flawline.data.process import DIMENSIONS
from flawline.data.stream import in_order
from flawline.errors import FlawlineError, StoreError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.inspection import Inspection
from flawline.outputs import Answer, Dispatch, Health, Judged, Output
from flawline.outputs.output import is_live
from flawline.recipe import check_ready
from flawline.records.pictures import Pictures
from flawline.records.record import REPEATED
from flawline.station.answering import Answering, AnswerSettings, AnswerTimes, Trigger
from flawline.station.outcome import Outcome
from flawline.station.room import AT_ONCE, Room
from flawline.station.stored_recipe import store_recipe
from flawline.types import EMPTY, Picture, Unjudged

if TYPE_CHECKING:
    from flawline.records.store import Store
    from flawline.records.write import Added
    from flawline.records.writer import Writer
    from flawline.station.repeats import Repeats

KEEP = ("flagged", "all", "none")


class Station:
    """An inspector with records and outputs; use as a context manager, from any number of threads.

    With records every frame is in them within a second, its picture and map stored as `keep` states, with a `Judged`
    event for the outputs in the same transaction. Without records events are sent directly, and those that could not be
    sent by the end are reported.
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
        again: bool = False,
        spool: Path | None = None,
        limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
        answers: AnswerSettings | None = None,
        answer: Callable[[Answer], None] | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Open a station.

        Args:
            inspector: judges the pictures.
            records: where inspections go; None for no records. They stay open when the station is closed.
            pictures: where pictures and maps of the records are stored.
            keep: which of them: those not accepted ("flagged"), "all" or "none".
            outputs: where events go; the station opens and closes them.
            constant: names of the process, such as station and lot, for frames without them.
            again: record pictures that the records have already as new captures. Without it a picture without a
                captured time that they have under another lot or other names alone is refused.
            spool: a file of this station alone, in which inspections survive a killed process.
            limits: the most pixels and bytes of a picture.
            answers: the deadline of `inspect`, and what is answered where it passes; None for no deadline.
            answer: gets each answer to `inspect` at once, before anything is recorded; it must not wait, and is called
                from several threads, one at a time.
            say: writes a line for people about outputs; called from other threads too.

        Raises:
            UsageError: an unknown choice or name, or pictures to store and no place for them.
            ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
            StoreError: the records or pictures cannot be written.
        """
        _check_choices(keep, constant, need_place=records is not None and pictures is None)
        check_ready(inspector.recipe)
        self.inspector, self.constant, self._keep = inspector, constant, keep
        self._limits, self._pictures = limits, None if records is None else pictures
        self.name = constant.get("station", "")
        self.repeats: Repeats | None = None
        if records is not None and pictures is not None and keep != "none":
            store_recipe(records, pictures, inspector.recipe)
        if records is not None:
            from flawline.station.repeats import Repeats

            records.check_writable()
            self.repeats = Repeats.begin(records, again=again)
        owing = None if records is None else records.deliveries
        self._writer: Writer | None = None
        with ExitStack() as opened:
            self._outputs = opened.enter_context(
                Dispatch(outputs, owing, owner=f"station {self.name}", health=True, say=say)
            )
            # Sent when the records have everything, so that it is the last event.
            opened.callback(lambda: self._outputs.tell(self._health("closed")))
            if records is not None:
                from flawline.records.writer import Writer

                writer = Writer(records, spool=spool, notice=partial(self._notice, records.name))
                self._writer = opened.enter_context(writer)
            live = any(is_live(output) for output in outputs)
            self.answering: Answering | None = None
            if live or answer is not None or answers is not None:
                self.answering = Answering(
                    answers or AnswerSettings(),
                    partial(self._tell_answer, answer),
                    recipe=inspector.recipe.sha256,
                    names=constant,
                )
                opened.callback(self.answering.close)
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
        """Record and send all that waits, and close the outputs.

        Raises:
            StoreError: the records are away; waiting inspections are in the spool.
        """
        self.__exit__(None, None, None)

    @property
    def kept(self) -> str:
        """Return which pictures and maps are stored: "flagged", "all" or "none"."""
        return "none" if self._pictures is None else self._keep

    @property
    def remembers(self) -> bool:
        """Whether frames are recorded or sent."""
        return self._writer is not None or bool(self._outputs.addresses)

    @property
    def records_name(self) -> str:
        """Name the records for people; empty without records."""
        return "" if self._writer is None else self._writer.store.name

    @property
    def added(self) -> Added | None:
        """Count the inspections that were new to the records and known before; None without records."""
        return None if self._writer is None else self._writer.added

    @property
    def times(self) -> AnswerTimes | None:
        """Summarise the times from trigger to answer; None where nothing is answered."""
        return None if self.answering is None else self.answering.times

    def trigger(self, image: str, since: float | None = None) -> Trigger | None:
        """Begin the time of a part that is still to be read: now, or at `since` of `time.monotonic`."""
        return None if self.answering is None else self.answering.trigger(image, since)

    def drop(self, trigger: Trigger | None) -> None:
        """End the time of what was no part."""
        if trigger is not None and self.answering is not None:
            self.answering.drop(trigger)

    def inspect(
        self, frame: Frame, trigger: Trigger | None = None, room: Room | None = None
    ) -> Inspection:
        """Judge a frame, answer it, record it and send its event; from any thread.

        Args:
            frame: the picture and what is known of it.
            trigger: when its time began; None for now.
            room: what waits where a disk is full; nothing does if None.

        Raises:
            ImageError: the picture cannot be read, or does not suit the recipe; that is recorded too.
            StoreError: the records or pictures cannot be written; ("record-repeated") the records have the picture
                under another lot or other names.
        """
        trigger = trigger or self.trigger(frame.name)
        outcome = self._answered(frame, trigger)
        if self.repeats is not None and outcome.inspection is not None:
            own = self.repeats.next_capture(outcome.frame, outcome.inspection.sha256)
            outcome = replace(outcome, frame=own)
        self.give(outcome, room)
        if outcome.inspection is None:
            assert outcome.error is not None
            raise outcome.error
        return outcome.inspection

    def run(
        self, feed: Iterable[Frame], *, workers: int | None = None, ahead: int | None = None
    ) -> Iterator[tuple[Frame, Inspection | Unjudged]]:
        """Inspect the frames of a feed on all cores, and record and yield them in the order of the feed.

        Args:
            feed: read as needed, in bounded memory.
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
        frame, inspector = _with_names(frame, self.constant), self.inspector
        given: Any = frame.picture
        file: bytes | None = None
        sha256: str | None = None
        try:
            if callable(given):
                given = given()
            elif isinstance(given, str | PathLike):
                frame = frame if frame.name else replace(frame, name=Path(given).name)
                given = picture_bytes(given, max_bytes=self._limits.max_bytes)
            if isinstance(given, bytes) and given:
                sha256 = hashlib.sha256(given).hexdigest()
            with memory_share(self._limits.max_memory) as share:
                picture = as_picture(
                    given, inspector.value_range, limits=self._limits, reserve=share.reserve
                )
                # Only what could be read as a picture is ever stored.
                file = given if isinstance(given, bytes) else None
                frame = self.capture(frame, picture.sha256)
            found = inspector.inspect(picture, name=frame.name)
        except FlawlineError as error:
            if isinstance(error, StoreError) and error.code != REPEATED:
                raise
            stored = file if self._stores(None) else None
            return Outcome(
                _identifiable(frame), datetime.now(UTC), error=error, sha256=sha256, file=stored
            )
        stores = self._stores(found.verdict)
        return Outcome(
            frame,
            datetime.now(UTC),
            replace(found, picture=partial(_itself, picture)),
            notes=picture.notes,
            file=picture_bytes(given) if stores else None,
            map=npy_bytes(found.map) if stores else None,
        )

    def named(self, frame: Frame) -> Frame:
        """Return a frame with the names of the process that this station gives to those without them."""
        return _with_names(frame, self.constant)

    def use(self, inspector: Inspector) -> None:
        """Judge by another recipe from the next frame on; what is in work is judged and recorded by the one before.

        Raises:
            ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
            StoreError: the recipe cannot be stored with the records.
        """
        check_ready(inspector.recipe)
        if self.kept != "none" and self._writer is not None and self._pictures is not None:
            store_recipe(self._writer.store, self._pictures, inspector.recipe)
        self.inspector = inspector
        if self.answering is not None:
            self.answering.recipe = inspector.recipe.sha256

    def capture(self, frame: Frame, picture: str) -> Frame:
        """Return a frame of a picture (SHA-256, hex), as a new capture where it is to be recorded again.

        Raises:
            StoreError: ("record-repeated") the records have the picture under other names alone.
        """
        return frame if self.repeats is None else self.repeats.capture(frame, picture)

    def give(self, outcome: Outcome, room: Room | None = None) -> Outcome:
        """Record an outcome and send its event; from any thread, in the order of the calls.

        Args:
            outcome: the judged frame.
            room: what waits where a disk is full; nothing does if None.

        Returns:
            The outcome with the name of its map, without the contents that are stored now.

        Raises:
            StoreError: the records or pictures cannot be written.
        """
        if not self.remembers or (outcome.error and outcome.error.code == REPEATED):
            return outcome
        room = room or AT_ONCE
        name = outcome.map_name
        if self._pictures is not None:
            put = self._pictures.put
            if outcome.file:
                room.keep(partial(put, outcome.file))
            name = room.keep(partial(put, outcome.map)) if outcome.map else name
        outcome = replace(outcome, file=None, map=None, map_name=name)
        record = outcome.record(self.inspector.recipe.sha256)
        event = Judged.of(record)
        if self._writer is None:
            self._outputs.tell(event)
        else:
            take = partial(self._writer.take, record, self._outputs.owed([event]))
            if not room.keep(take):
                room.keep(partial(self._writer.flush, full_at_once=True))
        return outcome

    def refuse(
        self,
        frame: Frame,
        error: FlawlineError,
        trigger: Trigger | None = None,
        room: Room | None = None,
    ) -> None:
        """Record a frame as not judged, with the reason, and send its event; from any thread.

        Its trigger is answered as that of a part without a verdict.

        Raises:
            StoreError: the records cannot be written.
        """
        named = _identifiable(_with_names(frame, self.constant))
        if trigger is not None and self.answering is not None:
            self.answering.answer(trigger, None, frame.part)
        self.give(Outcome(named, datetime.now(UTC), error=error), room)

    def _answered(self, frame: Frame, trigger: Trigger | None) -> Outcome:
        """Judge a frame and answer its trigger; what cannot be judged is answered as what is late."""
        if trigger is None or self.answering is None:
            return self.look(frame)
        found = None
        try:
            outcome = self.look(frame)
            found = None if outcome.inspection is None else outcome.inspection.verdict
            return outcome
        finally:
            self.answering.answer(trigger, found, frame.part)

    def _tell_answer(self, callback: Callable[[Answer], None] | None, answer: Answer) -> None:
        if callback is not None:
            callback(answer)
        self._outputs.tell(answer)

    def flush(self) -> None:
        """Wait until all outcomes are in the records.

        Raises:
            StoreError: the records are away, or refuse them.
        """
        if self._writer is not None:
            self._writer.flush()

    def tell_disk(self, reason: str) -> None:
        """Send the event that a disk is full, or has room again where `reason` is empty."""
        state = "full" if reason else "back"
        self._outputs.tell(Health(datetime.now(UTC), "disk", state, self.name, reason))

    def _stores(self, verdict: str | None) -> bool:
        """Whether the picture and map of an inspection are stored."""
        return self.kept == "all" or (self.kept == "flagged" and verdict != "accept")

    def _health(self, state: str) -> Health:
        return Health(datetime.now(UTC), "station", state, self.name)

    def _notice(self, name: str, error: StoreError | None) -> None:
        """Send the event that the records are away, or back."""
        state, text = ("back", "") if error is None else ("away", error.message)
        self._outputs.tell(Health(datetime.now(UTC), "records", state, name, text))


def unjudged(outcome: Outcome) -> Unjudged:
    """Return the reason why an outcome has no inspection."""
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


def _identifiable(frame: Frame) -> Frame:
    """Name a frame without name, time and key, whose unreadable picture has no hash either."""
    if frame.name or frame.captured or frame.key:
        return frame
    return replace(frame, name=f"unnamed, {datetime.now(UTC).isoformat()}")


def _itself(picture: Picture) -> Picture:
    return picture
