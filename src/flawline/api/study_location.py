"""Study where on the part defects gather."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from flawline.api.causes import Table, inspected
from flawline.api.records import StoreLike, Time, opened_records
from flawline.data.source import Source, SourceLike, opened
from flawline.errors import FlawlineError, UsageError
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.api.recipes import RecipeLike
    from flawline.data.stream import Readable
    from flawline.jobs.study.aligned_places import AlignedPlaces
    from flawline.jobs.study.inspected_parts import InspectedParts
    from flawline.jobs.study.location_study import LocationStudy
    from flawline.recipe import Recipe
    from flawline.records.pictures import Pictures
    from flawline.records.store import Store


def study_location(
    table: Table | None = None,
    *,
    parts: Table | None = None,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    by: Sequence[str] = (),
    only: str | None = None,
    at: str | None = None,
    pictures: SourceLike | None = None,
    recipe: RecipeLike | None = None,
    align: bool = True,
    kept: Pictures | str | os.PathLike[str] | None = None,
    centre: tuple[float, float] | None = None,
    split: Sequence[str] = (),
    part: str | None = None,
    step: str = "step",
    order: Sequence[str] = (),
    x: str | None = None,
    y: str | None = None,
    kind: str | None = None,
    seed: int = 0,
    table_format: Mapping[str, str | int] | None = None,
    track: Track = no_track,
) -> LocationStudy:
    """Find places of the part where defects gather beyond chance, and which tool, lot or day goes with each.

    Args:
        table, parts, store, where, since, until: as for `study_steps`.
        by: the factors to compare at each place; as for `study_factors`.
        only: defects of this class alone.
        at: defects first seen after this step alone.
        pictures: of the parts, by the names of the table: their mean is drawn, and where the part stands clear of a
            plain ground defects are expected on the part alone.
        recipe: whose alignment finds how the part lies in each picture. If not given, records are aligned by the one
            that judged most of them, where it aligns and is kept with the pictures.
        align: whether parts are laid upon each other by the alignment of the recipe, where there is one.
        kept: where the pictures of the records are kept, a folder or URL; beside an SQLite file given as URL, if not
            named.
        centre: (x, y) of a ring-shaped part: angle and radius about it count in place of x and y. An alignment of round
            parts has its own.
        split: look too for places that belong to some time, class, lot or tool alone: "time", "class", or columns. Time
            is divided into hours, shifts, days or weeks, as fits its length.
        part, step, order, x, y, kind: as for `study_steps`.
        seed: of the draws by chance.
        table_format: as for `chart`.
        track: shows progress with pictures.

    Returns:
        The places, the surest first. `flawline.jobs.study.location_report.location_report` describes it.

    Raises:
        UsageError: arguments that do not go together, or an unknown factor or class.
        SourceError: a table or the pictures cannot be read.
        StoreError: the records cannot be read.
        ModelError: the recipe cannot be read.
        FlawlineError: ("study-places") no places; ("study-empty") no defects; ("study-alignment") no part can be
            aligned.
    """
    from flawline.jobs.study import factors_study
    from flawline.jobs.study import location_study as studying
    from flawline.jobs.study.inspected_tables import InspectedColumns, need_places
    from flawline.jobs.study.location_splits import CLASS, TIME
    from flawline.jobs.study.mean_picture import mean_picture

    own = (factors_study.WEEKDAY, *(name for name in (TIME, CLASS) if name in split))
    further = tuple(name for name in dict.fromkeys((*by, *split)) if name not in own)
    steps = step if at is not None else None
    given = recipe is not None and align
    if given and table is not None and pictures is None:
        raise UsageError("`recipe` aligns pictures, and none are given", hint="give `pictures` too")
    named = InspectedColumns(
        part=part, step=steps, x=x, y=y, kind=kind, further=further, of_picture=given
    )
    with ExitStack() as open_now:
        records = None if store is None else open_now.enter_context(opened_records(store))
        found = inspected(table, parts, records, named, where, since, until, table_format)
        need_places(found)
        source = None if pictures is None else open_now.enter_context(opened(pictures))
        aligned = None
        if given:
            aligned = _aligned(found, _recipe(recipe), records, store, source, kept, track)
        elif align and records is not None:
            found, aligned = _by_records(found, records, store, source, kept, track)
        seen = None if aligned is None else aligned.seen
        if aligned is not None:
            found = aligned.found
        elif source is not None:
            seen = mean_picture(source, track)
    if seen is not None:
        found = replace(found, extent=seen.extent, notes=(*found.notes, seen.note))
    return studying.study_location(
        found,
        tuple(by),
        only=only,
        at=at,
        step=step,
        order=tuple(order),
        centre=centre,
        mean=None if seen is None else seen.mean,
        inside=None if seen is None else seen.inside,
        aligned=None if aligned is None else aligned.by,
        split=tuple(split),
        seed=seed,
    )


def _recipe(recipe: RecipeLike | None) -> Recipe:
    """Read a recipe that is to align.

    Raises:
        UsageError: it does not.
    """
    from flawline.api.recipes import recipe_of

    assert recipe is not None
    read = recipe_of(recipe)
    if not _aligns(read):
        raise UsageError(
            f"the recipe of {read.settings.part or 'these parts'} aligns nothing: its `alignment` is none",
            hint="give a recipe that was trained with an alignment, or leave `recipe` out",
        )
    return read


def _aligns(recipe: Recipe) -> bool:
    return recipe.settings.alignment.method != "none"


def _by_records(
    found: InspectedParts,
    records: Store,
    store: StoreLike | None,
    source: Source | None,
    kept: Pictures | str | os.PathLike[str] | None,
    track: Track,
) -> tuple[InspectedParts, AlignedPlaces | None]:
    """Align by the recipe that the records name, where it and the pictures are kept; a note says why not."""
    from flawline.station.stored_recipe import stored_recipe

    names = [name for name in found.columns.get("recipe", ()) if name]
    # The one that judged most; of as many the first by its hash.
    name = max(sorted(set(names)), key=names.count, default=None)
    if name is None or records.recipe_file(name) is None:
        return found, None
    try:
        recipe = stored_recipe(records, _kept(kept, store), name)
        if not _aligns(recipe):
            return found, None
        return found, _aligned(found, recipe, records, store, source, kept, track)
    except FlawlineError as error:
        note = f"parts are not laid upon each other by the recipe of the records: {error.message}"
        return replace(found, notes=(*found.notes, note)), None


def _aligned(
    found: InspectedParts,
    recipe: Recipe,
    records: Store | None,
    store: StoreLike | None,
    source: Source | None,
    kept: Pictures | str | os.PathLike[str] | None,
    track: Track,
) -> AlignedPlaces:
    """Align the pictures of a source by the image of each inspection, or those that the records kept."""
    from flawline.inspector.parts import view_of
    from flawline.jobs.study.aligned_places import align_places
    from flawline.station.kept_pictures import KeptPictures

    named = f"{recipe.settings.part or 'without a name'} ({recipe.sha256[:8]})"
    reader: Readable
    if source is not None:
        if "image" not in found.columns:
            raise UsageError("`pictures` needs a column image that names them")
        reader, names = source, found.columns["image"]
    else:
        assert records is not None
        reader = KeptPictures(records, _kept(kept, store))
        names = tuple(str(number) for number in found.ids)
    return align_places(found, view_of(recipe), named, reader, names, track)


def _kept(kept: Pictures | str | os.PathLike[str] | None, store: StoreLike | None) -> Pictures:
    from flawline.api.records import pictures_of

    if kept is not None and not isinstance(kept, str | os.PathLike):
        return kept
    assert store is not None
    return pictures_of(kept, store)
