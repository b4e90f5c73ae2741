"""Serve the page of a station in the process of the station, on the same records."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flawline.errors import UsageError
from flawline.server.settings import ServeSettings
from flawline.station.station_file import StationPlan, read_station_file
from flawline.station.triggers import Triggers


@contextmanager
def station_page(
    file: Path,
    say: Callable[[str], None],
    *,
    new_link: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Triggers]]:
    """Serve the page of a station's file while the block runs, where the file has one.

    Args:
        file: the station's file.
        say: writes a line for people.
        new_link: make a link for an admin also where there are accounts already.
        environment: variables that hold secrets; those of the process if None.

    Yields:
        The cameras that requests may ask, by name; empty, for `run_station` to fill.

    Raises:
        UsageError: ("station-file") the file cannot be used, or requests ask a camera and there is no page; nobody can
            listen on its address.
        DependencyError, StoreError, ModelError: as for `serve`.
    """
    plan = read_station_file(file, os.environ if environment is None else environment)
    triggers: dict[str, Triggers] = {}
    if plan.page is None:
        asked = next((feed for feed in plan.feeds if getattr(feed, "trigger", None) == "api"), None)
        if asked is not None:
            raise UsageError(
                f"{file}: requests ask the camera {asked.name} for pictures, and there is no page",
                hint="write [page] on a line of its own",
                code="station-file",
            )
        yield triggers
        return
    from flawline.server.serve import serving

    with serving(settings_of(plan), say, triggers=triggers, new_link=new_link):
        yield triggers


def settings_of(plan: StationPlan) -> ServeSettings:
    """Return the settings of the page of a station, on its records and with its recipe."""
    from flawline.records.pictures import default_pictures

    page, records = plan.page, plan.records
    assert page is not None
    assert records is not None, "the file was checked"
    return ServeSettings(
        Path(page.data),
        records.store,
        (plan.recipe,),
        host=page.host,
        port=page.port,
        hosts=page.allow_host or (),
        kept=records.pictures or default_pictures(records.store),
    )
