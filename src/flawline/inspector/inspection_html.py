"""Render an inspection as HTML, for notebooks."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from flawline.errors import FlawlineError

if TYPE_CHECKING:
    from flawline.inspector.inspection import Inspection

SIDE = 480
LISTED = 10
_TITLES = ("defect", "label", "box (left, top, width, height), px", "area, px²", "peak")


def inspection_html(found: Inspection) -> str:
    """Show the verdict and its reasons, up to ten defects, and the overlay where the picture can still be read."""
    rows = [_row("th", _TITLES)] if found.regions else []
    for number, one in enumerate(found.regions[:LISTED], start=1):
        box = ", ".join(map(str, one.box))
        rows.append(_row("td", (str(number), one.label, box, f"{one.area:.6g}", f"{one.peak:.4g}")))
    left = len(found.regions) - LISTED
    more = f"<p>and {left} more</p>" if left > 0 else ""
    p_value = "" if found.p_value is None else f", p {found.p_value:.3g}"
    title = f"{found.image or 'picture'}: {found.verdict}, score {found.score:.4g}{p_value}"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in found.reasons)
    return (
        f"<div><p><b>{escape(title)}</b></p><ul>{reasons}</ul>"
        f"<table>{''.join(rows)}</table>{more}{_overlay(found)}</div>"
    )


def _row(kind: str, cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(cell)}</{kind}>" for cell in cells) + "</tr>"


def _overlay(found: Inspection) -> str:
    try:
        drawn = found.overlay(side=SIDE)
    except FlawlineError:
        return ""  # kept by nobody, or no longer there: the table says what was found all the same
    file = BytesIO()
    drawn.save(file, "PNG")
    return f'<img alt="overlay" src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
