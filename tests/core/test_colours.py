"""One palette: nothing else in the package writes a colour down."""

from __future__ import annotations

import re
from pathlib import Path

import flawline
from flawline.core import colours
from flawline.core.drawing import class_colour
from flawline.report.template import template

HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


def test_hex_becomes_red_green_blue() -> None:
    assert colours.rgb("#0072B2") == (0, 114, 178)
    assert class_colour(1) == class_colour(1 + len(colours.CLASSES)) == (86, 180, 233)


def test_colours_stand_in_one_file() -> None:
    package = Path(flawline.__file__).parent
    found = {
        str(path.relative_to(package)): sorted(set(HEX.findall(path.read_text(encoding="utf-8"))))
        for kind in ("*.py", "*.html")
        for path in package.rglob(kind)
    }
    assert len(found["core/colours.py"]) > 15
    # The one further colour is a mark that is replaced by the page's ink.
    others = {name: seen for name, seen in found.items() if seen and name != "core/colours.py"}
    assert others == {"report/figure.py": ["#010203"]}


def test_pages_have_the_colours_of_both_themes() -> None:
    page = template("page.html").render()
    for theme in colours.PAGE.values():
        for name, colour in theme.items():
            assert f"--{name}:{colour};" in page
