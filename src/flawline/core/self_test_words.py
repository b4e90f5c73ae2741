"""Put into words what a recipe finds and where it is blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from flawline.core.blind_zones import BlindZone
from flawline.core.self_test import USUAL, DetectionLimit

NAMES: Mapping[tuple[str, bool], str] = MappingProxyType(
    {
        ("spot", False): "dark spots",
        ("spot", True): "light spots",
        ("scratch", False): "dark scratches",
        ("scratch", True): "light scratches",
        ("dent", True): "dents",
        ("missing piece", False): "dark missing pieces",
        ("missing piece", True): "light missing pieces",
        ("smear", False): "dark smears",
        ("smear", True): "light smears",
        ("texture patch", True): "texture patches",
        ("colour", True): "discolourations",
    }
)
"""The plural of each kind, by its name and whether it is light."""
_ZONES = 2


def limit_name(limit: DetectionLimit) -> str:
    """Name the defects of a limit in the plural."""
    return NAMES[limit.kind, limit.contrast > 0]


def size_text(width: float, aspect: float = 1.0) -> str:
    """Format a size: "4 px", or "2 x 20 px" of a long one."""
    if aspect > 1:
        return f"{_number(width)} x {_number(width * aspect)} px"
    return f"{_number(width)} px"


def self_test_sentence(limits: Sequence[DetectionLimit], zones: Sequence[BlindZone]) -> str:
    """Say in one sentence what is found at the usual contrast, what is not, and where the recipe is blind."""
    parts = self_test_parts(limits, zones)
    return f"at {100 * usual_contrast(limits):g} % contrast, {'; '.join(parts)}"


def self_test_parts(
    limits: Sequence[DetectionLimit], zones: Sequence[BlindZone]
) -> tuple[str, ...]:
    """Say what is found at the usual contrast, what is not, and where the recipe is blind: up to three clauses.

    What is found is found in 90 % at random places. Where the usual contrast was not tried, the nearest one counts.
    """
    contrast = usual_contrast(limits)
    own = [limit for limit in limits if abs(limit.contrast) == contrast]
    found = [_from(limit) for limit in own if limit.reach is not None]
    missed = [
        f"{limit_name(limit)} up to {size_text(limit.sizes[-1].width, limit.aspect)} ({_rate(limit)})"
        for limit in own
        if limit.reach is None
    ]
    parts = []
    if found:
        parts.append(f"finds {_joined(found)}")
    if missed:
        parts.append(f"misses more than 10 % of {_joined(missed)}")
    if zones:
        parts.append(f"blind {_joined([zone_text(zone) for zone in zones[:_ZONES]])}")
    return tuple(parts)


def usual_contrast(limits: Sequence[DetectionLimit]) -> float:
    """Find the contrast tried that is nearest to the usual one."""
    tried = sorted({abs(limit.contrast) for limit in limits})
    return min(tried, key=lambda value: abs(value - USUAL))


def zone_text(zone: BlindZone) -> str:
    """Say where a zone lies and how it looks: "in the dark place at the upper left (3 of 20 found, 12.4 expected)"."""
    left, top, width, height = zone.box
    x, y = left + width / 2, top + height / 2
    down = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    at = f"at the {' '.join(filter(None, (down, across)))}".strip() if down or across else ""
    edge = {"at the upper": "at the top", "at the lower": "at the bottom"}
    where = edge.get(at, at) or "in the middle"
    look = f"{zone.look} " if zone.look else ""
    return f"in the {look}place {where} ({zone.found} of {zone.of} found, {zone.expected:.0f} expected)"


def limit_rows(limits: Sequence[DetectionLimit]) -> list[Mapping[str, str]]:
    """Give the limits as rows of a table: name, contrast, from, a90, bound, found and reason."""
    return [
        {
            "name": limit_name(limit),
            "contrast": f"{100 * abs(limit.contrast):g} %",
            "from": "no size tried"
            if limit.reach is None
            else size_text(limit.reach, limit.aspect),
            "a90": _size(limit.pod.a90, limit),
            "bound": _size(limit.pod.a90_95, limit),
            "found": f"{limit.pod.found} of {limit.pod.defects}",
            "reason": limit.pod.reason,
        }
        for limit in limits
    ]


def _size(width: float | None, limit: DetectionLimit) -> str:
    if width is None:
        return "none"
    if width > limit.pod.largest:
        return f"beyond {size_text(limit.pod.largest)}"
    return size_text(max(width, limit.pod.smallest))


def _from(limit: DetectionLimit) -> str:
    assert limit.reach is not None
    smallest = " (the smallest tried)" if limit.at_smallest else ""
    return f"{limit_name(limit)} from {size_text(limit.reach, limit.aspect)}{smallest}"


def _rate(limit: DetectionLimit) -> str:
    largest = limit.sizes[-1].found
    return f"{largest.hits} of {largest.of} found"


def _joined(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"
