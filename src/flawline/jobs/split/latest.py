"""Split by time: the latest pictures are the test, those before them validate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flawline.data.times import local_time
from flawline.errors import UsageError
from flawline.types import Sample, Unjudged


@dataclass(frozen=True, slots=True)
class Moments:
    """When pictures were taken, by name; `unknown` are those without a time that can be read."""

    by_name: Mapping[str, datetime]
    unknown: tuple[Unjudged, ...]


def moments_of(texts: Mapping[str, str | None]) -> Moments:
    """Read the times of pictures.

    Raises:
        UsageError: none can be read, or some have a zone and others none.
    """
    found: dict[str, datetime] = {}
    unknown = []
    for name, text in texts.items():
        try:
            if text is None:
                raise UsageError("no time is stated")
            found[name] = local_time(text)
        except UsageError as error:
            unknown.append(Unjudged(name, "split-time", error.message))
    if not found and unknown:
        raise UsageError(
            f"no time can be read; the first: {unknown[0].image}: {unknown[0].reason}",
            hint="write times as 2026-03-01T06:30:00, or name their column with `column`",
            code="split-column",
        )
    if len({time.tzinfo is None for time in found.values()}) > 1:
        raise UsageError(
            "some times have a zone and others have none: which are the latest is not known",
            hint="write all with a zone, such as 2026-03-01T06:30:00+01:00, or all without",
            code="split-column",
        )
    return Moments(found, tuple(unknown))


def latest(
    samples: Sequence[Sample],
    units: Mapping[str, str],
    moments: Mapping[str, datetime],
    shares: Mapping[str, float],
) -> dict[str, str]:
    """Deal units by the time of their last picture: the latest to the last split; each split has one at least.

    Units of one time go by name.
    """
    sizes: dict[str, int] = {}
    last: dict[str, datetime] = {}
    for sample in samples:
        unit, time = units[sample.name], moments[sample.name]
        sizes[unit] = sizes.get(unit, 0) + 1
        last[unit] = max(last.get(unit, time), time)
    order = sorted(sizes, key=lambda unit: (last[unit], unit))
    split: dict[str, str] = {}
    names = list(shares)
    for place, name in reversed(list(enumerate(names))):
        wanted, taken = shares[name] * len(samples), 0
        # One unit is left for each split before this one; the first takes the rest.
        while len(order) > place and (
            place == 0 or not taken or taken + sizes[order[-1]] / 2 <= wanted
        ):
            unit = order.pop()
            split[unit] = name
            taken += sizes[unit]
    return {sample.name: split[units[sample.name]] for sample in samples}
