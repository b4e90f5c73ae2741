"""The page of the format says what the code checks."""

from dataclasses import MISSING
from pathlib import Path

import pytest

from flawline.recipe import RecipeSettings
from flawline.recipe.entries import entries_of
from flawline.recipe.settings import SECTIONS
from flawline.recipe.toml_text import toml_value

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "recipe.md"


def row(key, entry):
    facts = entry.metadata
    if entry.default is MISSING:
        default = "must be given"
    else:
        default = "left out" if entry.default is None else toml_value(entry.default)
    name = f"`{key}` (fixed)" if facts["fixed"] else f"`{key}`"
    return f"| {name} | {facts['check'].expected} | {default} | {facts['about']} |"


@pytest.mark.parametrize("section", ["", *SECTIONS])
def test_the_table_of_a_section_is_whole(section):
    heading = f"### [{section}]\n" if section else "### At the top\n"
    part = PAGE.read_text(encoding="utf-8").split(heading)[1].split("\n#")[0]
    shown = [line for line in part.splitlines() if line.startswith("| `")]
    entries = entries_of(SECTIONS.get(section, RecipeSettings))
    assert shown == [row(key, entry) for key, entry in entries.items() if key != "spec"]
