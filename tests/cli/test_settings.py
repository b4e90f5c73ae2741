"""Messages below the command line name settings; the command line shows options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

import flawline
from flawline.cli.main import app, run
from flawline.cli.settings import as_options, option_names
from flawline.jobs.chart.chart_report import write_chart

SOURCE = Path(__file__).parents[2] / "src" / "flawline"
BELOW = [p for p in sorted(SOURCE.rglob("*.py")) if p.relative_to(SOURCE).parts[0] != "cli"]
OPTION = re.compile(r"(?<![\w(,;-])--[a-z][a-z0-9-]+")
NAMED = re.compile(r"`([a-z_][a-z0-9_]*)(?:=[^`]+)?`")
# Words in backticks that are no option of any command: columns, words of files, Python's own.
OTHER = {"Region"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """String constants of a file but its docstrings, f-strings piece by piece."""
    tree = parsed(path)
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.lineno, node.value


def test_no_option_name_stands_below_the_command_line():
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {text}"
        for path in BELOW
        for line, text in texts(path)
        if OPTION.search(text) and "var(--" not in text
    ]
    assert not found


def test_every_setting_that_a_hint_names_is_an_option():
    """What `hint=` names in backticks is a parameter of a command, so that a person can type it."""
    seen, unknown = 0, []
    for path in BELOW:
        for node in ast.walk(parsed(path)):
            if not (isinstance(node, ast.keyword) and node.arg == "hint"):
                continue
            for inner in ast.walk(node.value):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    for match in NAMED.finditer(inner.value):
                        seen += 1
                        if match[1] not in option_names() and not match[1].startswith("max_"):
                            unknown.append(f"{path.relative_to(SOURCE)}: {match[0]}")
    assert seen > 40
    assert not unknown


def test_a_setting_has_one_option_in_all_commands():
    names: dict[str, set[str]] = {}
    waiting = [typer.main.get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        for parameter in command.params:
            long = [option for option in parameter.opts if option.startswith("--")]
            if long:
                names.setdefault(parameter.name, set()).add(long[0])
    assert len(names) > 100
    assert {name: found for name, found in names.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("give `value_range=0,4095` for 12 bits", "give --value-range 0,4095 for 12 bits"),
        ("another folder with `out`", "another folder with --out"),
        ("Raise `max_pixels` of ImageLimits.", "Raise --limits max_pixels=N."),
        ("see `flawline rank --help`", "see `flawline rank --help`"),
        ("the column `no_such_setting`", "the column `no_such_setting`"),
    ],
)
def test_settings_are_shown_as_options(text, shown):
    assert as_options(text) == shown


def test_an_error_shows_the_option(capsys, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("value\n1\n2\n3\n")
    assert run(["study", "capability", str(table), "--measure", "value"]) == 2
    assert "give --lsl, --usl or both" in capsys.readouterr().err


def test_a_page_names_settings_as_whoever_made_it_writes_them(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [f"P{number % 20},{number * 7 % 10}" for number in range(40)]
    table.write_text("\n".join(["part,a", *rows]), encoding="utf-8")
    out = tmp_path / "command"
    assert run(["chart", str(table), "--measure", "a", "--by", "part", "-o", str(out), "-q"]) < 2
    page = (out / "chart.html").read_text(encoding="utf-8")
    assert "give it as --stage" in page
    (tmp_path / "python").mkdir()
    write_chart(flawline.chart("a", table, by="part"), tmp_path / "python")
    page = (tmp_path / "python" / "chart.html").read_text(encoding="utf-8")
    assert "give it as `stage`" in page
