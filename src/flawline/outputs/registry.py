"""Open outputs by the name of their kind. A new kind is one file, and one line in `OUTPUTS`."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from flawline.errors import UsageError
from flawline.outputs import (
    console,
    file,
    mail,
    modbus,
    mqtt,
    opcua,
    parquet,
    sparkplug,
    sql_table,
    webhook,
)
from flawline.outputs.events import KINDS
from flawline.outputs.output import Chosen, Output, OutputKind, Say, is_live
from flawline.recipe.entries import entries_of, first_problem

OUTPUTS: Mapping[str, OutputKind] = {
    "console": console.KIND,
    "file": file.KIND,
    "webhook": webhook.KIND,
    "mqtt": mqtt.KIND,
    "sparkplug": sparkplug.KIND,
    "email": mail.KIND,
    "sql": sql_table.KIND,
    "parquet": parquet.KIND,
    "modbus": modbus.KIND,
    "opcua": opcua.KIND,
}


def forms() -> str:
    """List the forms of outputs: "console, file:PATH, webhook:URL, ... or opcua:ENDPOINT"."""
    *most, last = (kind.form for kind in OUTPUTS.values())
    return f"{', '.join(most)} or {last}"


def open_output(text: str, *, say: Say, environment: Mapping[str, str]) -> Output:
    """Open the output that `text` names, such as "file:alerts.jsonl".

    Args:
        text: its kind, followed by a colon and its place where it has one.
        say: writes a line for people.
        environment: the environment variables, with the other settings: FLAWLINE_WEBHOOK_TOKEN is the `token` of a
            webhook. Numbers and lists are written as in TOML.

    Raises:
        UsageError: there is no such kind, or a setting cannot be used.
    """
    name, _, place = text.partition(":")
    kind = OUTPUTS.get(name)
    if kind is None or (":" in kind.form) != bool(place):
        raise UsageError(
            f"expected an output of {forms()}, got {name!r}",
            hint="such as console, or webhook:https://host/path",
        )
    values = settings_of(name, kind, environment)
    return open_kind(name, {**values, kind.place: place} if kind.place else values, say)


def open_kind(
    name: str, values: Mapping[str, Any], say: Say, events: Collection[str] | None = None
) -> Output:
    """Open an output of a kind by its settings; `events` are those that it gets, None for those usual for its kind.

    Raises:
        UsageError: a setting is unknown, missing, or cannot be used.
    """
    kind = OUTPUTS[name]
    problem = first_problem(kind.entries, values)
    if problem is not None:
        raise UsageError(f"output {name}: {problem.key}: {problem.message}", hint=problem.hint)
    output, chosen = kind.open(kind.entries(**values), say), frozenset(events or kind.events)
    return output if is_live(output) or chosen == frozenset(KINDS) else Chosen(output, chosen)


def settings_of(name: str, kind: OutputKind, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of a kind of output in the environment: FLAWLINE_KIND_NAME is "name"."""
    prefix = f"FLAWLINE_{name.upper()}_"
    entries = entries_of(kind.entries)
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if variable.startswith(prefix):
            key = variable.removeprefix(prefix).lower()
            found[key] = _value(text, entries[key].metadata["check"]) if key in entries else text
    return found


def _value(text: str, check: Any) -> Any:
    """Take a text as it is where the setting is text, else as a value of TOML."""
    try:
        check.read(text)
    except ValueError:
        try:
            return tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            return text
    return text
