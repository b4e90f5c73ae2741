"""Write reference/commands.md from the commands themselves: `python docs/commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from flawline.cli.main import app

PAGE = Path(__file__).with_name("reference") / "commands.md"
HEAD = """\
# Commands

This page is written from the commands themselves; `flawline COMMAND --help` says the same.

Every command ends with an [exit code](exit-codes-and-json.md). With `--json` it prints one JSON document on standard
output and nothing else there. Progress, notes and errors for people go to standard error.

`flawline --version` prints the version, `flawline --help` lists the commands.
`flawline --install-completion` sets up [completion](../how-to/shell-completion.md).
"""


def rendered() -> str:
    """The whole page."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    return HEAD + "".join(_section(name, command) for name, command in _flat(commands))


def _flat(commands: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Commands by full name; a group stands for the commands in it."""
    for name, command in commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {more}", found) for more, found in _flat(inner))


def _section(name: str, command: Any) -> str:
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    options = [
        param for param in shown if param.param_type_name == "option" and "--help" not in param.opts
    ]
    usage = " ".join(["flawline", name, *map(_argument, arguments), "[OPTIONS]"])
    text = f"\n## flawline {name}\n\n{command.help.strip()}\n\n```text\n{usage}\n```\n"
    if arguments:
        rows = (f"| `{param.name.upper()}` | {_cell(param.help)} |" for param in arguments)
        text += "\n| argument | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"
    rows = (f"| {_names(param)} | {_default(param)} | {_cell(param.help)} |" for param in options)
    return text + "\n| option | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _argument(param: Any) -> str:
    name = str(param.name).upper()
    if param.nargs != 1:
        name += "..."
    return name if param.required else f"[{name}]"


def _names(param: Any) -> str:
    return ", ".join(f"`{name}`" for name in _long_first([*param.opts, *param.secondary_opts]))


def _long_first(names: list[str]) -> Iterator[str]:
    yield from sorted(names, key=lambda name: not name.startswith("--"))


def _default(param: Any) -> str:
    if param.secondary_opts:
        return f"`{(param.opts if param.default else param.secondary_opts)[0]}`"
    return "" if param.default is None or param.default is False else f"`{param.default}`"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
