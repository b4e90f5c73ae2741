"""Where a watch stands, as one JSON document: a later watch goes on from there.

No work file: it is one value, written whole after each reading, and people read it (limits, rules, what was judged).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flawline.core.spc.alerts import Episode
from flawline.core.spc.chart_points import Panel
from flawline.core.spc.charts import State
from flawline.core.spc.limits import limits_as_dict, limits_from_dict
from flawline.core.spc.rules import Rule, RuleSignal, Tail
from flawline.data.json_file import write_json_document
from flawline.errors import UsageError
from flawline.jobs.chart.gathering import Rows
from flawline.jobs.chart.growing import Growing
from flawline.records.arrived import Arrived
from flawline.types import EMPTY

_FORMAT, _VERSION = "flawline-watch", 1
_LINES = ("at", "values", "centre", "lower", "upper", "scores")


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What was judged, what is there, the rows of a point that is not complete, the unfinished alerts, and notes."""

    growing: Growing
    arrived: Arrived
    rows: Rows = field(default_factory=lambda: EMPTY)
    book: Mapping[str, Episode] = field(default_factory=lambda: EMPTY)
    notes: tuple[str, ...] = ()


def write_checkpoint(path: Path, standing: Standing, task: Mapping[str, Any]) -> None:
    """Write where a watch stands; `task` says what is watched."""
    growing = standing.growing
    write_json_document(
        path,
        {
            "format": _FORMAT,
            "version": _VERSION,
            "task": task,
            "arrived": asdict(standing.arrived),
            "limits": limits_as_dict(growing.limits),
            "learnt": growing.learnt,
            "most": growing.most,
            "rules": [[rule.number, rule.k] for rule in growing.rules],
            "state": asdict(growing.state),
            "labels": growing.labels,
            "ids": growing.ids,
            "panels": [_panel_as_dict(panel) for panel in growing.panels],
            "hits": [asdict(hit) for hit in growing.hits],
            "rows": dict(standing.rows),
            "book": [asdict(alert) for alert in standing.book.values()],
            "notes": standing.notes,
        },
    )


def read_checkpoint(path: Path, task: Mapping[str, Any]) -> Standing | None:
    """Where the last watch stood; None where there was none.

    Raises:
        UsageError: it watched something else, or the file cannot be read.
    """
    hint = f"give another folder with `out`, or remove {path} to begin anew"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise ValueError("it is of another version")
        standing = _standing(document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise UsageError(f"cannot go on from {path}: {error}", hint=hint) from error
    # As it comes back from JSON: tuples are lists there.
    if document["task"] != json.loads(json.dumps(task)):
        changed = sorted(
            name
            for name in {*document["task"], *task}
            if document["task"].get(name) != json.loads(json.dumps(task.get(name)))
        )
        raise UsageError(
            f"{path.parent} holds the watch of something else (other: {', '.join(changed)})",
            hint=hint,
        )
    return standing


def _standing(plain: Mapping[str, Any]) -> Standing:
    state = plain["state"]
    tails = tuple(
        Tail(*(tuple(t[name]) for name in ("at", "values", "scores"))) for t in state["tails"]
    )
    growing = Growing(
        limits=limits_from_dict(plain["limits"]),
        rules=tuple(Rule(number, k) for number, k in plain["rules"]),
        learnt=plain["learnt"],
        most=plain["most"],
        state=State(state["seen"], tuple(state["memory"]), tails),
        labels=tuple(plain["labels"]),
        ids=tuple(plain["ids"]),
        panels=tuple(map(_panel, plain["panels"])),
        hits=tuple(RuleSignal(**{**hit, "rule": Rule(**hit["rule"])}) for hit in plain["hits"]),
    )
    arrived = Arrived(plain["arrived"]["last"], tuple(map(tuple, plain["arrived"]["gaps"])))
    book = {one["key"]: Episode(**one) for one in plain["book"]}
    return Standing(growing, arrived, plain["rows"], book, tuple(plain["notes"]))


def _panel_as_dict(panel: Panel) -> dict[str, Any]:
    lines = {name: getattr(panel, name) for name in _LINES}
    plain = {name: None if line is None else line.tolist() for name, line in lines.items()}
    return {"name": panel.name, **plain, "rules": sorted(panel.rules)}


def _panel(plain: Mapping[str, Any]) -> Panel:
    lines: dict[str, Any] = {
        name: None if plain[name] is None else np.array(plain[name]) for name in _LINES
    }
    lines["at"] = np.array(plain["at"], dtype=np.int64)
    return Panel(plain["name"], **lines, rules=frozenset(plain["rules"]))
