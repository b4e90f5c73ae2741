"""Inspect the pictures of a source with a recipe, and record and send what comes of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.api.recipes import InspectorLike, inspector_of
from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits
from flawline.data.source import SourceLike, opened
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.records import open_store
from flawline.station.inspect_source import inspect_source
from flawline.station.inspected import InspectionRun
from flawline.station.station import Station
from flawline.types import EMPTY, Track, no_track

if TYPE_CHECKING:
    from flawline.api.records import StoreLike
    from flawline.outputs import Answer, Output
    from flawline.station.answering import AnswerSettings


def inspect(
    recipe: InspectorLike,
    source: SourceLike,
    *,
    folder: str | os.PathLike[str] | None = None,
    overlays: str = "flagged",
    precision: str | None = None,
    store: StoreLike | None = None,
    keep: str | None = None,
    pictures: str | os.PathLike[str] | None = None,
    constant: Mapping[str, str] | None = None,
    again: bool = False,
    output: Sequence[str | Output] = (),
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> InspectionRun:
    """Accept, review or reject each picture of a source, with reasons.

    Args:
        recipe: with thresholds: a recipe, its path, or an `Inspector`.
        source: anything that `open_source` takes, or an open source.
        folder: where overlays go, as overlays/NAME.jpg; none are drawn without it.
        overlays: which pictures get one: "flagged", "all" or "none".
        precision: "auto", "f32" or "bf16" instead of the recipe's.
        store: records to write every inspection to: an open store, an SQLite file or a URL; None for none.
        keep: pictures and maps kept with the records: "flagged" (as None), "all" or "none".
        pictures: folder or URL for them; beside an SQLite file if None.
        constant: names of the process for the records, such as {"station": "s1"}.
        again: record pictures that the records have already as new captures. Without it, those that they have under
            another lot or other names alone are refused, and listed as not judged.
        output: where each verdict is sent: outputs, or their names such as "file:verdicts.jsonl".
        good, bad, track: as for `rank`.

    Returns:
        Every picture with its verdict, and those that could not be judged. One inspection at a time, with its map and
        overlay, comes from `Inspector.inspect_many` and `Station.run`.

    Raises:
        UsageError: a choice is none of these, or `keep`, `pictures` or `constant` are given without `store`.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
        SourceError: the source cannot be opened, or none of its pictures be judged.
        StoreError: the records or pictures cannot be written.
        ManifestError: a captured time of the source cannot be read.
    """
    inspector = inspector_of(recipe, precision)
    place = None if folder is None else Path(folder)
    with (
        opened(source, good, bad) as open_,
        open_station(
            inspector,
            store=store,
            keep=keep,
            pictures=pictures,
            constant=constant,
            again=again,
            output=output,
            limits=open_.image_limits,
        ) as station,
    ):
        return inspect_source(open_, station, folder=place, overlays=overlays, track=track)


@contextmanager
def open_station(
    inspector: Inspector,
    *,
    store: StoreLike | None = None,
    keep: str | None = None,
    pictures: str | os.PathLike[str] | None = None,
    constant: Mapping[str, str] | None = None,
    again: bool = False,
    output: Sequence[str | Output] = (),
    spool: Path | None = None,
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
    answers: AnswerSettings | None = None,
    answer: Callable[[Answer], None] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[Station]:
    """Open a station by the settings of `inspect`; `spool` and what follows are as for `Station`."""
    from flawline.outputs import open_output

    outputs = [
        open_output(one, say=say, environment=os.environ) if isinstance(one, str) else one
        for one in output
    ]
    if store is None and (keep or pictures or again or (constant and not outputs)):
        raise UsageError(
            "`keep`, `pictures`, `constant` and `again` are about records", hint="give `store` too"
        )
    which = keep or "flagged"
    with ExitStack() as stack:
        records = place = None
        if store is not None:
            # What knows databases takes a while to load.
            from flawline.api.records import pictures_of

            place = None if which == "none" else pictures_of(pictures, store)
            records = (
                stack.enter_context(open_store(os.fspath(store)))
                if isinstance(store, str | os.PathLike)
                else store
            )
        station = Station(
            inspector,
            records=records,
            pictures=place,
            keep=which,
            outputs=outputs,
            constant=constant or EMPTY,
            again=again,
            spool=spool,
            limits=limits,
            answers=answers,
            answer=answer,
            say=say,
        )
        yield stack.enter_context(station)
