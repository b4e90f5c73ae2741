"""`flawline doctor`: what this machine has and can do."""

from __future__ import annotations

from typing import Any

from flawline.cli.console import AsJson, print_json


def doctor(as_json: AsJson = False) -> None:
    """Report versions, CPU features, runtimes, backbones found, and what an extra would add."""
    from flawline.networks.machine import describe_machine

    found = describe_machine()
    if as_json:
        print_json(found)
        return
    for section, values in found.items():
        _print_section(section, values)


def _print_section(title: str, values: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title.replace("_", " "), title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in values.items():
        table.add_row(Text(key), Text(_text(value)))
    Console(highlight=False).print(table)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    return str(value)
