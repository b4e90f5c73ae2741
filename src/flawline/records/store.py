"""The store of records: inspections written once each, and read in pages or as series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from flawline.data.closing import Closing
from flawline.data.times import micros
from flawline.errors import StoreError, UsageError
from flawline.records.accounts import AccountBook
from flawline.records.activations import ActivationBook
from flawline.records.alerts import AlertBook
from flawline.records.answers import AnswerBook
from flawline.records.arrivals import Arrived, arrived, new_numbers, of_numbers
from flawline.records.captures import Capture, captures_of_picture, under_other_names
from flawline.records.chart_entries import ChartBook
from flawline.records.delivery import DeliveryBook, write_owed
from flawline.records.engine import (
    new_engine,
    reading,
    shown,
    store_url,
    translated,
    writing,
)
from flawline.records.fields import TERMS
from flawline.records.hours import HourCount, hour_counts
from flawline.records.months import Months
from flawline.records.owed import Owed
from flawline.records.read import (
    Page,
    count_rows,
    count_upto,
    hold,
    nth_newest,
    read_one,
    read_page,
)
from flawline.records.read_only import is_read_only, readable
from flawline.records.record import VERDICTS, Decision, Record, StoredRecord
from flawline.records.schema import migrate, missing
from flawline.records.series import (
    Columns,
    Level,
    SeriesRequest,
    chunks,
    joined,
    measure_names,
    plan,
)
from flawline.records.tables import decision, recipe_file
from flawline.records.terms import Terms, of_kind
from flawline.records.upsert import insert_new
from flawline.records.where import EVERYTHING, Where
from flawline.records.write import Added, write_records
from flawline.types import Verdict

CHUNK = 10_000


class Store(Closing):
    """Records at a URL; see `open_store`. Safe from several threads and next to other processes.

    `read_only`: they are in a file that cannot be written to, or whose folder cannot; reading is all that they do.
    `engine` is that of SQLAlchemy, for reading with SQL of one's own.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open the store and update its schema; errors as for `open_store`."""
        place = store_url(url)
        if not create and place.drivername == "sqlite" and not Path(str(place.database)).exists():
            raise missing(shown(place))
        self.name = shown(place)
        self.read_only = is_read_only(place)
        self._copy = ExitStack()
        if self.read_only:
            place, create = readable(place, self._copy), False
        self.engine = new_engine(place, read_only=self.read_only)
        self._terms = Terms()
        self._months = Months(self.engine)
        self.accounts = AccountBook(self.engine)
        self.activations = ActivationBook(self.engine)
        self.alerts = AlertBook(self.engine)
        self.answers = AnswerBook(self.engine)
        self.charts = ChartBook(self.engine, self._terms)
        self.deliveries = DeliveryBook(self.engine)
        try:
            with translated(self.engine.url):
                migrate(self.engine, create=create)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
        self._copy.close()

    def check_writable(self) -> None:
        """Raise StoreError ("store-refused") where the records are read only."""
        if self.read_only:
            raise StoreError(
                f"the records in {self.name} are read only",
                hint="check that you may write to the file and its folder, or copy it",
                code="store-refused",
            )

    def add(self, records: Sequence[Record], owed: Sequence[Owed] = ()) -> Added:
        """Write inspections and their messages for outputs in one transaction: all or nothing.

        Stored inspections and messages stay as they are.

        Raises:
            StoreError: they could not be written; `transient` where trying again may help.
        """
        if not records and not owed:
            return Added(0, 0)
        self._months.prepare(records)
        with writing(self.engine) as connection:
            added, numbers = write_records(connection, self._terms, records)
            write_owed(connection, owed)
        self._terms.remember(numbers)
        return added

    def get(self, number: int) -> StoredRecord:
        """Return one inspection.

        Raises:
            StoreError: ("store-unknown") there is none of this number.
        """
        with self._read() as connection:
            found = read_one(connection, self._terms, number)
        if found is None:
            raise self._unknown(number)
        return found

    def page(
        self,
        where: Where = EVERYTHING,
        *,
        after: str | None = None,
        count: int = 50,
        newest: bool = True,
    ) -> Page:
        """Read a page of inspections in the order of time, the newest first or last.

        Args:
            where: which ones.
            after: `next` of the page before.
            count: how many at most.
            newest: whether the newest come first.

        Raises:
            UsageError: `count` or `after` makes no sense.
        """
        with self._read() as connection:
            return read_page(connection, self._terms, where, after, count, newest)

    def nth_newest(self, where: Where, number: int) -> datetime | None:
        """Return when the `number`-th newest inspection was captured (or judged); None where there are fewer."""
        with self._read() as connection:
            return nth_newest(connection, self._terms, where, number)

    def count_upto(self, where: Where, most: int) -> int:
        """Count inspections, `most` at most; reads no more than these."""
        with self._read() as connection:
            return count_upto(connection, self._terms, where, most)

    def names(self, name: str) -> list[str]:
        """List the values of a name of `Where` that repeat, such as product or lot, in their order; not of parts.

        Raises:
            UsageError: no name of this kind.
        """
        if name not in TERMS:
            raise UsageError(f"expected a name of {', '.join(TERMS)}, got {name!r}")
        with self._read() as connection:
            return sorted(of_kind(connection, name).values())

    def count(self, where: Where = EVERYTHING) -> int:
        """Count inspections; reads every one of them."""
        with self._read() as connection:
            return count_rows(connection, self._terms, where)

    def hours(
        self, last: datetime, where: Where = EVERYTHING, *, count: int = 12
    ) -> tuple[HourCount, ...]:
        """Count inspections by the hour and verdict, in the `count` hours up to that of `last`, the oldest first."""
        with self._read() as connection:
            return hour_counts(connection, self._terms, where, last, count)

    def measures(self, level: Level = "inspection") -> list[str]:
        """List the names of all measures of inspections or defects, without those that every inspection has."""
        with self._read() as connection:
            return measure_names(connection, level)

    def series(
        self,
        measure: str,
        where: Where = EVERYTHING,
        by: Sequence[str] = (),
        *,
        level: Level = "inspection",
        chunk: int = CHUNK,
        upto: Arrived | None = None,
    ) -> Iterator[Columns]:
        """Read a measure in time order, in chunks of columns and bounded memory.

        A chunk has the columns `captured` (ISO 8601, UTC; the time of judging where that of capture is unknown),
        `measure`, and those that `by` names. Inspections without the measure are left out.

        Args:
            measure: score, p_value, defects (their number), or a measure of the inspections or defects.
            where: which inspections.
            by: further columns: names of `Where`, id, image, verdict, judged, or measures; of a defect "class", left,
                top, width and height.
            level: one row per inspection or per defect.
            chunk: inspections that are read at once.
            upto: leave out inspections that came after this.

        Raises:
            StoreError: ("store-measure") nothing has such a measure.
        """
        request = SeriesRequest(measure, tuple(by), level)
        with self._read() as connection:
            planned = plan(connection, request)
        return chunks(self._read, planned, self._terms, where, chunk, upto)

    def captures(
        self, picture: str, captured: datetime | None = None, *, upto: Arrived
    ) -> list[Capture]:
        """List the inspections of a picture (SHA-256, hex) of one captured time, or without one, stored by `upto`."""
        with self._read() as connection:
            return captures_of_picture(connection, self._terms, picture, captured, upto)

    def under_other_names(self, records: Sequence[Record]) -> list[tuple[int, Capture]]:
        """List the places of records that are stored already, but under other process data, with what is stored."""
        with self._read() as connection:
            return list(under_other_names(connection, self._terms, records))

    def arrived(self) -> Arrived:
        """Return the inspections stored by now, for `newer` to continue from."""
        with self._read() as connection:
            return arrived(connection)

    def newer(
        self,
        than: Arrived,
        measure: str,
        where: Where = EVERYTHING,
        by: Sequence[str] = (),
        *,
        chunk: int = CHUNK,
    ) -> Iterator[tuple[Arrived, Columns]]:
        """Read what came since `than`, however early it was captured: columns as of `series`, and what is there then.

        The order is that in which they came, and that of time within one chunk. It costs what is new alone.

        Raises:
            StoreError: ("store-measure") nothing has such a measure.
        """
        with self._read() as connection:
            # First the numbers: the plan then knows the measures of all of them.
            steps = list(new_numbers(connection, than, chunk))
            planned = plan(connection, SeriesRequest(measure, tuple(by)))
        for now, numbers in steps:
            with self._read() as connection:
                yield now, of_numbers(connection, self._terms, planned, where, numbers)

    def columns(
        self,
        measure: str,
        where: Where = EVERYTHING,
        by: Sequence[str] = (),
        *,
        level: Level = "inspection",
    ) -> dict[str, list[Any]]:
        """Read all of `series` as one table, as `jobs.chart.series.form_series` takes it."""
        return joined(
            self.series(measure, where, by, level=level), SeriesRequest(measure, tuple(by), level)
        )

    def decide(
        self, number: int, verdict: Verdict, *, who: str, why: str, when: datetime
    ) -> Decision:
        """Add a person's decision; the machine's verdict and earlier decisions stay.

        Raises:
            UsageError: an unknown verdict, nobody's name, no reason, or a time without a zone.
            StoreError: ("store-unknown") there is no such inspection.
        """
        if verdict not in VERDICTS:
            raise UsageError(f"expected a verdict of {', '.join(VERDICTS)}, got {verdict!r}")
        if not who.strip() or not why.strip():
            raise UsageError("a decision needs the name of who decides, and why")
        row = {
            "inspection": number,
            "verdict": verdict,
            "who": who,
            "why": why,
            "decided": micros(when),
        }
        with writing(self.engine) as connection:
            if not hold(connection, number):
                raise self._unknown(number)
            connection.execute(insert(decision), row)
        return Decision(verdict, who, why, when)

    def keep_recipe(self, recipe: str, file: str) -> None:
        """Note the stored file (SHA-256, hex) of the recipe of a hash; the first one stays."""
        with writing(self.engine) as connection:
            numbers = self._terms.numbers(connection, [("recipe", recipe)])
            row = {"recipe": numbers["recipe", recipe], "file": bytes.fromhex(file)}
            connection.execute(insert_new(connection, recipe_file), row)

    def recipe_file(self, recipe: str) -> str | None:
        """Return the SHA-256 of the stored file of a recipe, or None."""
        with self._read() as connection:
            number = self._terms.find(connection, [("recipe", recipe)]).get(("recipe", recipe))
            query = select(recipe_file.c.file).where(recipe_file.c.recipe == number)
            found = connection.execute(query).scalar()
        return None if found is None else bytes(found).hex()

    def _read(self) -> AbstractContextManager[Connection]:
        return reading(self.engine)

    def _unknown(self, number: int) -> StoreError:
        return StoreError(
            f"there is no inspection {number} in {self.name}",
            hint="`flawline records list` shows their numbers",
            code="store-unknown",
        )
