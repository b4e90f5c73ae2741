"""Try the outputs of a station."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from flawline.outputs.trial import Trial, try_output
from flawline.station.station_file import read_station_file


def try_outputs(
    file: str | os.PathLike[str],
    *,
    environment: Mapping[str, str] | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[Trial, ...]:
    """Send a marked trial event through each output of station.toml, one after the other.

    Args:
        file: the station's file.
        environment: variables that hold secrets; those of the process if None.
        say: writes a line for people.

    Returns:
        What came of each, in the order of the file.

    Raises:
        UsageError: ("station-file") an entry is unknown, missing or wrong; the message names line and key.
    """
    plan = read_station_file(Path(file), os.environ if environment is None else environment)
    station = plan.names.get("station", "")
    return tuple(try_output(one.opened(say or _nothing), station) for one in plan.outputs)


def _nothing(text: str) -> None:
    pass
