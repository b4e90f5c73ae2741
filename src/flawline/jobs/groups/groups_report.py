"""Write the report of a grouping: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.data.whole_file import write_text
from flawline.jobs.groups.grouping import GroupedPicture, Grouping, Pair
from flawline.report.template import template

SHOWN_GROUPS = 40
SHOWN_MEMBERS = 24


def shown_names(grouping: Grouping) -> set[str]:
    """List the names of the pictures to show."""
    members = {
        picture.sample.name for group in grouping.groups[:SHOWN_GROUPS] for picture in _first(group)
    }
    pairs = (*grouping.above, *grouping.below, *grouping.held_apart[:SHOWN_MEMBERS])
    return members | {name for pair in pairs for name in (pair.first, pair.second)}


def write_groups_report(grouping: Grouping, addresses: Mapping[str, str], path: Path) -> Path:
    """Write the report of a grouping.

    Args:
        grouping: what to report.
        addresses: data addresses of the pictures to show, by sample name.
        path: the HTML file to write.
    """
    html = template("groups.html").render(
        grouping=grouping,
        sheets=[_sheet(members, addresses) for members in grouping.groups[:SHOWN_GROUPS]],
        above=_cards(grouping.above, addresses),
        below=_cards(grouping.below, addresses),
        held_apart=_cards(grouping.held_apart[:SHOWN_MEMBERS], addresses),
    )
    return write_text(path, html)


def _first(group: Sequence[GroupedPicture]) -> Sequence[GroupedPicture]:
    """Choose the members to show: the least alike, so that a wrong member is not left out."""
    return sorted(group, key=lambda p: (p.similarity or 0, p.sample.name))[:SHOWN_MEMBERS]


def _sheet(group: Sequence[GroupedPicture], addresses: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": group[0].group,
        "size": len(group),
        "lowest": min(picture.similarity or 0 for picture in group),
        "labels": sorted({picture.sample.label for picture in group if picture.sample.label}),
        "pictures": [
            {"picture": picture, "address": addresses.get(picture.sample.name)}
            for picture in _first(group)
        ],
    }


def _cards(pairs: Sequence[Pair], addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "pair": pair,
            "first": addresses.get(pair.first),
            "second": addresses.get(pair.second),
            "how": _how(pair),
            "style": _style(pair),
        }
        for pair in pairs
    ]


def _how(pair: Pair) -> str:
    turned = round(pair.turned) % 360
    words = [f"turned {min(turned, 360 - turned)}°"] if turned else []
    return " and ".join(words + (["mirrored"] if pair.mirrored else [])) or "as it is"


def _style(pair: Pair) -> str:
    """Show the second picture as it was compared, to make copies visible at a glance."""
    turned = round(pair.turned) % 360
    steps = [f"rotate({-turned}deg)"] if turned else []
    steps += ["scaleX(-1)"] if pair.mirrored else []
    return f"clip-path:circle(50%);transform:{' '.join(steps)}" if turned or pair.mirrored else ""
