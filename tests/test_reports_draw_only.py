"""Pages draw what jobs hand them: no page opens a source, runs a network or asks the records."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "flawline"
PAGES = sorted([*SOURCE.glob("report/*.py"), *SOURCE.rglob("*_report.py")])
FORBIDDEN = (
    "flawline.inspector",
    "flawline.detectors",
    "flawline.networks",
    "flawline.records",
    "flawline.data.source",
    "flawline.data.stream",
    "flawline.data.image",
    "flawline.data.thumbnails",
)


def imported(path: Path) -> set[str]:
    """Names of the modules that a file imports, wherever in it, but for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    skipped = {inner for node in typing for inner in ast.walk(node)}
    found = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_there_are_pages_to_look_at():
    assert len(PAGES) > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_page_only_draws(page):
    found = {name for name in imported(page) if name.startswith(FORBIDDEN)}
    assert not found
