"""Find the studies that take records: their settings come from their calls, so that a new study needs no page.

A study NAME is a call `flawline.study_NAME` with a `store`, described by `jobs.study.NAME_report.NAME_report`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, getdoc, signature
from typing import TYPE_CHECKING, Any, Literal

from flawline.data.process import DIMENSIONS
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.jobs.study.study import Study
    from flawline.records.store import Store

Kind = Literal["text", "number", "whole", "yes or no", "choice", "list"]
# What the page gives by itself, and what only a table or a folder has.
_NOT_ASKED = {
    "table",
    "parts",
    "pictures",
    "recipe",
    "first_shots",
    "distance",
    "store",
    "where",
    "since",
    "until",
    "table_format",
    "track",
    "kept",
}
_KINDS: Mapping[str, Kind] = {
    "str": "text",
    "float": "number",
    "int": "whole",
    "bool": "yes or no",
    "Sequence[str]": "list",
    "str | float": "text",
}
_COLUMNS = ("part", "operator", "step", "by", "rater")
_REFERS = re.compile(r"as for `(\w+)`")
_LITERAL = re.compile(r"Literal\[(.*)\]")


@dataclass(frozen=True, slots=True)
class StudyField:
    """A setting of a study: what it is, whether it must be given, and what is taken if it is not."""

    name: str
    kind: Kind
    required: bool
    default: Any
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyKind:
    """A study that takes records: one line about it, and its settings."""

    name: str
    about: str
    fields: tuple[StudyField, ...]
    call: Callable[..., Any]
    report: Callable[[Any], Study]
    takes_track: bool
    takes_kept: bool


@cache
def study_kinds() -> Mapping[str, StudyKind]:
    """List the studies that take records, by name."""
    import flawline

    found = {}
    for public in dir(flawline):
        name = public.removeprefix("study_")
        if name != public and find_spec(f"flawline.jobs.study.{name}_report") is not None:
            call = getattr(flawline, public)
            if "store" in signature(call).parameters:
                found[name] = _kind(name, call)
    return dict(sorted(found.items()))


def study_kind(name: str) -> StudyKind:
    """Return a study by its name.

    Raises:
        UsageError: there is none.
    """
    kinds = study_kinds()
    if name not in kinds:
        raise UsageError(f"expected a study of {', '.join(kinds)}, got {name[:40]!r}")
    return kinds[name]


def read_settings(kind: StudyKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the settings that a form or program gives; empty ones are left to the study.

    Raises:
        UsageError: an unknown setting, one that is missing, or one of another kind.
    """
    known = {field.name: field for field in kind.fields}
    for name in given:
        if name not in known:
            raise UsageError(f"the study {kind.name} has no setting {name[:40]!r}")
    settings = {
        name: _read(field, given[name])
        for name, field in known.items()
        if given.get(name) not in (None, "", [])
    }
    for name, field in known.items():
        if field.required and name not in settings:
            raise UsageError(f"expected `{name}`: {field.help}")
    return settings


def usual_settings(kind: StudyKind, store: Store) -> StudyKind:
    """Fill in what the records suggest: their measures to choose from, the columns that they have."""
    measures = ("score", *store.measures(), "defects")
    columns = ("part", *(name for name in DIMENSIONS if store.names(name)))
    fields = []
    for field in kind.fields:
        if field.name == "measure":
            field = replace(
                field,
                choices=measures,
                default=field.default or (measures[0] if field.required else None),
            )
        elif field.name in _COLUMNS and field.kind == "text":
            default = (
                field.name if field.default is None and field.name in columns else field.default
            )
            field = replace(field, choices=columns, default=default)
        fields.append(field)
    return replace(kind, fields=tuple(fields))


def _kind(name: str, call: Callable[..., Any]) -> StudyKind:
    parameters = signature(call).parameters
    told = getdoc(call) or ""
    helps = _helps(told)
    fields = [
        field
        for one in parameters.values()
        if one.name not in _NOT_ASKED and (field := _field(one, helps)) is not None
    ]
    module = import_module(f"flawline.jobs.study.{name}_report")
    about = told.partition("\n")[0]
    return StudyKind(
        name,
        about,
        tuple(fields),
        call,
        getattr(module, f"{name}_report"),
        "track" in parameters,
        "kept" in parameters,
    )


def _field(one: Parameter, helps: Mapping[str, str]) -> StudyField | None:
    text = str(one.annotation).removesuffix(" | None")
    required = one.default is Parameter.empty
    default = None if required or one.default == () else one.default
    told = helps.get(one.name, "")
    literal = _LITERAL.fullmatch(text)
    if literal:
        choices = tuple(part.strip(" \"'") for part in literal[1].split(","))
        return StudyField(one.name, "choice", required, default, told, choices)
    kind = _KINDS.get(text)
    return None if kind is None else StudyField(one.name, kind, required, default, told)


def _helps(told: str) -> dict[str, str]:
    """Read what the settings mean from the docstring of a call."""
    block = told.partition("Args:")[2].partition("\n\nReturns:")[0]
    helps: dict[str, str] = {}
    names: Sequence[str] = ()
    for line in block.splitlines():
        begun = re.match(r"    (\w[\w, ]*): (.*)", line)
        if begun:
            names = [name.strip() for name in begun[1].split(",")]
            helps.update(dict.fromkeys(names, begun[2].strip()))
        elif line.strip():
            helps.update({name: f"{helps[name]} {line.strip()}" for name in names})
    return {name: _followed(name, text).replace("`", "") for name, text in helps.items()}


def _followed(name: str, text: str) -> str:
    """Give the text of another call where a docstring refers to it: "as for `chart`"."""
    import flawline

    other = _REFERS.match(text)
    call = getattr(flawline, other[1], None) if other else None
    return text if call is None else _helps(getdoc(call) or "").get(name, text)


def _read(field: StudyField, value: Any) -> Any:
    try:
        if field.kind == "list":
            words = value.split(",") if isinstance(value, str) else value
            return tuple(str(word).strip() for word in words if str(word).strip())
        if field.kind == "yes or no":
            return value is True or value in ("true", "on", "yes")
        if field.kind in ("number", "whole"):
            return (int if field.kind == "whole" else float)(value)
    except (TypeError, ValueError):
        raise UsageError(
            f"expected a {field.kind} for `{field.name}`, got {str(value)[:40]!r}"
        ) from None
    text = str(value)
    if field.kind == "choice" and text not in field.choices:
        raise UsageError(
            f"expected {', '.join(field.choices)} for `{field.name}`, got {text[:40]!r}"
        )
    return text
