"""Judge a table of defects by a specification, and compare with another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flawline.core.measure.parts import count_name, former_count_name
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.toml_file import MOST_CHARACTERS
from flawline.errors import SpecError
from flawline.jobs.judge.defect_table import read_parts
from flawline.jobs.judge.judged_parts import Change, JudgedTable
from flawline.specification.judge import Judgement, MeasuredPart, judge
from flawline.specification.model import Spec
from flawline.specification.parse import parse_spec


def judge_table(
    table: Path,
    spec: Path,
    *,
    against: Path | None = None,
    classes: Sequence[str] | None = None,
    stated: TableFormat = UNSTATED,
) -> JudgedTable:
    """Judge every part of the table of defects that `flawline measure` wrote.

    Args:
        table: the table of defects, with its table of parts in the same folder.
        spec: the specification, TOML.
        against: an older specification, to list the verdicts that change.
        classes: the known classes; a limit on another one is then an error.
        stated: what is known of how the table is written.

    Raises:
        SourceError, ManifestError: a table cannot be read or lacks a column.
        SpecError: a specification cannot be read or contradicts itself, or is in millimetres and no part of the
            table has a scale.
    """
    parts, columns, notes = read_parts(table, stated)
    scaled = any(part.mm_per_px is not None for part in parts)
    new = read_spec(spec, classes, scaled)
    _check_classes(spec, new, parts, columns)
    judgements = tuple(judge(new, part) for part in parts)
    judged = JudgedTable(table.name, new, parts, judgements, notes=notes)
    if against is None:
        return judged
    old = read_spec(against, classes, scaled)
    changes = _changes(parts, old, judgements)
    return replace(judged, against=old, changes=changes)


def read_spec(path: Path, classes: Sequence[str] | None, has_scale: bool | None) -> Spec:
    """Read a specification from a file; errors begin with its name."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"cannot read the specification {path.name!r}: {getattr(error, 'strerror', None) or error}",
            hint="give a TOML file in UTF-8",
        ) from error
    try:
        return parse_spec(text, classes=classes, has_scale=has_scale)
    except SpecError as error:
        raise SpecError(f"{path.name}: {error.message}", hint=error.hint) from error


def _check_classes(
    path: Path, spec: Spec, parts: Sequence[MeasuredPart], columns: frozenset[str]
) -> None:
    """Raise SpecError for limits on unknown classes, which would accept everything."""
    present = {name for part in parts for name in part.classes}
    for limit in spec.limits:
        named = {name for name, _ in limit.weights} | {limit.class_name or ""}
        for name in sorted(named - present - {""}):
            own = count_name(name)
            if columns.isdisjoint({own, former_count_name(own)}):
                raise SpecError(
                    f"{path.name}: line {limit.line}: the table has no class {name!r}; "
                    f"it has {', '.join(map(repr, sorted(present))) or 'no defects'}",
                    hint="spell it as in `classes` when measuring, and name all classes there",
                )


def _changes(
    parts: Sequence[MeasuredPart], old: Spec, judgements: Sequence[Judgement]
) -> tuple[Change, ...]:
    changes = []
    for part, after in zip(parts, judgements, strict=True):
        before = judge(old, part)
        if before.verdict != after.verdict:
            # A newly accepted part is shown with its findings before.
            findings = after.findings or before.findings
            changes.append(Change(part.image, before.verdict, after.verdict, findings))
    return tuple(changes)
