"""`flawline judge`: accept, review or reject measured parts by a specification."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, Quiet, note, print_json, text_table, warn
from flawline.cli.feature_options import Encoding, Limits, Root, open_from_options
from flawline.cli.record_options import assignments
from flawline.cli.table_options import TableFormatOption
from flawline.core.words import counted

if TYPE_CHECKING:
    from flawline.jobs.judge.judged_parts import JudgedTable
    from flawline.specification.judge import Judgement

LISTED = 20


def judge(
    table: Annotated[
        Path, typer.Argument(help="The table of defects that `flawline measure` wrote.")
    ],
    spec: Annotated[Path, typer.Option(help="The specification, TOML.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for verdicts.csv, verdicts.json, report.html."),
    ] = Path("flawline-verdicts"),
    against: Annotated[
        Path | None, typer.Option(help="An older specification: which verdicts change, and how.")
    ] = None,
    pictures: Annotated[
        str | None, typer.Option(help="Pictures of the parts, for the report.")
    ] = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    table_format: TableFormatOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Judge measured parts; exit code 0 all accepted, 1 a review or reject, 2 something could not be judged."""
    from flawline.api.measure import judge as judge_table
    from flawline.jobs.judge.judge_files import write_judged
    from flawline.jobs.judge.judge_tables import judged_as_dict

    written_as = assignments(table_format, "--table-format")
    judged = judge_table(table, spec, against=against, table_format=written_as)
    out.mkdir(parents=True, exist_ok=True)
    if pictures is None:
        report = write_judged(judged, out)
    else:
        with open_from_options(pictures, limits=limits, root=root, encoding=encoding) as opened:
            report = write_judged(judged, out, opened)
    if as_json:
        print_json(judged_as_dict(judged))
    else:
        print_judged(judged)
    for item in judged.judgements:
        if item.verdict is None:
            warn(f"could not be judged: {item.image}: {item.reason}")
    wrote = f"wrote {out / 'verdicts.csv'}, {out / 'verdicts.json'}"
    for line in (
        *judged.notes,
        f"specification {judged.spec.hash[:12]}, {judged.spec.guard_text}",
        wrote,
        f"report: {report}",
    ):
        note(line, quiet=quiet)
    return judged.exit_code


def print_judged(judged: JudgedTable) -> None:
    """What was not accepted as a table, the counts, and what changes against the older specification."""
    from rich.console import Console

    console = Console(highlight=False)
    flagged = [item for item in judged.judgements if item.findings]
    flagged.sort(key=lambda item: (item.verdict != "reject", item.image))
    if flagged:
        titles = ["verdict", "image", "clause", "value", "limit"]
        console.print(text_table(titles, map(_row, flagged[:LISTED])))
    if len(flagged) > LISTED:
        console.print(f"and {len(flagged) - LISTED} more")
    said = ", ".join(f"{count} {name}" for name, count in judged.counts.items() if count)
    console.print(f"{counted(len(judged.parts), 'part')}: {said}", style="bold")
    if judged.against is not None:
        ways = ", ".join(f"{count} from {way}" for way, count in judged.ways.items())
        changed = counted(len(judged.changes), "verdict changes", "verdicts change")
        console.print(changed + (f": {ways}" if ways else ""))


def _row(item: Judgement) -> list[str]:
    first = item.findings[0]
    more = f" and {len(item.findings) - 1} more" if len(item.findings) > 1 else ""
    limit = "" if first.line is None else f"{first.bound:.4g} {first.unit}".rstrip()
    return [item.verdict or "", item.image, first.clause + more, f"{first.value:.4g}", limit]
