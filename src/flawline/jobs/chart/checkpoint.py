"""Write and read the checkpoint of a watch, one JSON document from which a later watch resumes.

It is not a work file: it is written whole after each reading, and people read it (limits, rules, judged points).
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
from flawline.data.json_file import parse_json, write_json_document
from flawline.errors import UsageError
from flawline.jobs.chart.arriving_rows import Rows
from flawline.jobs.chart.growing_chart import GrowingChart
from flawline.records.arrived import Arrived
from flawline.types import EMPTY

_FORMAT, _VERSION = "flawline-watch", 1
_LINES = ("at", "values", "centre", "lower", "upper", "scores", "rounding")


@dataclass(frozen=True, slots=True, eq=False)
class CheckpointState:
    """Judged points, arrival state, rows of an incomplete point, unfinished episodes, and notes."""

    growing: GrowingChart
    arrived: Arrived
    rows: Rows = field(default_factory=lambda: EMPTY)
    episodes: Mapping[str, Episode] = field(default_factory=lambda: EMPTY)
    notes: tuple[str, ...] = ()


def write_checkpoint(path: Path, state: CheckpointState, settings: Mapping[str, Any]) -> None:
    """Write the state of a watch; `settings` are those of the watch."""
    growing = state.growing
    write_json_document(
        path,
        {
            "format": _FORMAT,
            "version": _VERSION,
            "task": settings,
            "arrived": asdict(state.arrived),
            "limits": limits_as_dict(growing.limits),
            "learnt": growing.learnt,
            "most": growing.most,
            "rules": [[rule.number, rule.k] for rule in growing.rules],
            "state": asdict(growing.state),
            "labels": growing.labels,
            "ids": growing.ids,
            "panels": [_panel_as_dict(panel) for panel in growing.panels],
            "hits": [asdict(signal) for signal in growing.signals],
            "rows": dict(state.rows),
            "book": [asdict(alert) for alert in state.episodes.values()],
            "notes": state.notes,
        },
    )


def read_checkpoint(path: Path, settings: Mapping[str, Any]) -> CheckpointState | None:
    """Read the state of the last watch; None if there is none.

    Raises:
        UsageError: the settings differ, or the file cannot be read.
    """
    hint = f"give another folder with `out`, or remove {path} to start again"
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise ValueError("it has another version")
        state = _state(document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise UsageError(f"cannot resume from {path}: {error}", hint=hint) from error
    # Compared as JSON gives it back: tuples are lists there.
    if document["task"] != json.loads(json.dumps(settings)):
        changed = sorted(
            name
            for name in {*document["task"], *settings}
            if document["task"].get(name) != json.loads(json.dumps(settings.get(name)))
        )
        raise UsageError(
            f"{path.parent} holds a watch with other settings ({', '.join(changed)})",
            hint=hint,
        )
    return state


def _state(plain: Mapping[str, Any]) -> CheckpointState:
    state = plain["state"]
    tails = tuple(
        Tail(*(tuple(_line(tail, name) or ()) for name in ("at", "values", "scores", "rounding")))
        for tail in state["tails"]
    )
    growing = GrowingChart(
        limits=limits_from_dict(plain["limits"]),
        rules=tuple(Rule(number, k) for number, k in plain["rules"]),
        learnt=plain["learnt"],
        most=plain["most"],
        state=State(state["seen"], tuple(state["memory"]), tails),
        labels=tuple(plain["labels"]),
        ids=tuple(plain["ids"]),
        panels=tuple(map(_panel, plain["panels"])),
        signals=tuple(RuleSignal(**{**one, "rule": Rule(**one["rule"])}) for one in plain["hits"]),
    )
    arrived = Arrived(plain["arrived"]["last"], tuple(map(tuple, plain["arrived"]["gaps"])))
    episodes = {one["key"]: Episode(**one) for one in plain["book"]}
    return CheckpointState(growing, arrived, plain["rows"], episodes, tuple(plain["notes"]))


def _panel_as_dict(panel: Panel) -> dict[str, Any]:
    lines = {name: getattr(panel, name) for name in _LINES}
    plain = {name: None if line is None else line.tolist() for name, line in lines.items()}
    return {"name": panel.name, **plain, "rules": sorted(panel.rules)}


def _panel(plain: Mapping[str, Any]) -> Panel:
    lines: dict[str, Any] = {
        name: None if line is None else np.array(line)
        for name, line in ((name, _line(plain, name)) for name in _LINES)
    }
    lines["at"] = np.array(plain["at"], dtype=np.int64)
    return Panel(plain["name"], **lines, rules=frozenset(plain["rules"]))


def _line(plain: Mapping[str, Any], name: str) -> list[Any] | None:
    """Return a list of numbers; checkpoints of version 0.1 hold no rounding."""
    absent = [0.0] * len(plain["at"]) if name == "rounding" else None
    line: list[Any] | None = plain.get(name, absent)
    return line
