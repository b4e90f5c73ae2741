"""Write the report of a judgement: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import write_text
from flawline.jobs.judge.judged_parts import JudgedTable
from flawline.report.pictures import data_address
from flawline.report.template import template
from flawline.specification.judge import Judgement

SHOWN = 60


def flagged_parts(judged: JudgedTable) -> list[Judgement]:
    """List the parts with findings, rejected ones first."""
    flagged = [item for item in judged.judgements if item.findings]
    return sorted(flagged, key=lambda item: (item.verdict != "reject", item.image))


def write_judge_report(
    judged: JudgedTable, crops: Mapping[str, NDArray[np.uint8]], path: Path
) -> Path:
    """Write the report of a judgement; `crops` are pictures (uint8 RGB) of findings by image."""
    flagged = flagged_parts(judged)
    addresses = {name: data_address(crop) for name, crop in crops.items()}
    html = template("judge.html").render(
        judged=judged,
        flagged=[_card(item, addresses) for item in flagged[:SHOWN]],
        more=max(0, len(flagged) - SHOWN),
        changes=[{"change": c, "address": addresses.get(c.image)} for c in judged.changes[:SHOWN]],
        accepted=_closest(judged.judgements),
        unjudged=[item for item in judged.judgements if item.verdict is None],
        number=_number,
    )
    return write_text(path, html)


def _card(item: Judgement, addresses: Mapping[str, str]) -> dict[str, Any]:
    return {"item": item, "address": addresses.get(item.image)}


def _closest(judgements: Iterable[Judgement]) -> list[Judgement]:
    """List the accepted parts nearest to a limit."""
    accepted = [item for item in judgements if item.verdict == "accept" and item.closest]

    def relative(item: Judgement) -> float:
        near = item.closest
        assert near is not None
        return near.margin / abs(near.bound) if near.bound else near.margin

    return sorted(accepted, key=lambda item: (relative(item), item.image))[:10]


def _number(value: float) -> str:
    return f"{value:.4g}"
