"""`flawline alerts`: list and acknowledge alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, Quiet, note, print_json, printable
from flawline.cli.record_options import Count

if TYPE_CHECKING:
    from flawline.records.alerts import StoredAlert

Records = Annotated[
    str,
    typer.Option(
        "--store", help="The records: an SQLite file, or postgresql://USER@HOST/DATABASE."
    ),
]

alerts = typer.Typer(
    name="alerts",
    help="List the alerts of watched charts, acknowledge them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@alerts.command("list")
def list_alerts(
    store: Records,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that nobody has acknowledged.")
    ] = False,
    count: Count = 20,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """List alerts, the latest first."""
    from flawline.api import records as api
    from flawline.records.alerts import alert_as_dict

    found = api.list_alerts(store, only_open=only_open, count=count)
    if as_json:
        print_json({"alerts": [alert_as_dict(kept) for kept in found]})
        return 0
    for kept in found:
        _print_one(kept)
    if not found:
        note("no open alerts" if only_open else "no alerts", quiet=quiet)
    return 0


@alerts.command()
def acknowledge(
    key: Annotated[str, typer.Argument(help="The key of the alert.")],
    store: Records,
    by: Annotated[str, typer.Option(help="Who has seen it.")],
    note: Annotated[str, typer.Option(help="What was found, or what is done about it.")] = "",
    as_json: AsJson = False,
) -> int:
    """Acknowledge an alert: it is no longer escalated; earlier notes stay."""
    from flawline.api import records as api
    from flawline.records.alerts import alert_as_dict

    kept = api.acknowledge(store, key, by=by, note=note)
    if as_json:
        print_json(alert_as_dict(kept))
    else:
        _print_one(kept)
    return 0


def _print_one(kept: StoredAlert) -> None:
    alert = kept.alert
    state = "open" if kept.open else "acknowledged"
    risen = ", escalated" if kept.escalated else ""
    when = alert.raised.isoformat(sep=" ", timespec="seconds")
    typer.echo(f"{when} {state}{risen}: {printable(alert.text)}")
    typer.echo(f"  {printable(alert.key)}")
    for one in kept.acknowledgements:
        when = one.when.isoformat(sep=" ", timespec="seconds")
        said = f": {one.note}" if one.note else ""
        typer.echo(f"  {when} {printable(one.who + said)}")
