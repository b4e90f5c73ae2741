"""What recipes were judged by at their training, kept beside them.

A recipe holds no pictures of parts. The server keeps those that decide, small, under the hash of the recipe; a recipe
that differs in its settings alone refers to those of the recipe that it came from.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from flawline.data.json_file import parse_json, write_json_document

DOCUMENT, BLIND = "evidence.json", "blind.jpg"


class EvidenceBook:
    """The evidence of recipes, by the hash of the recipe, in a folder of the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, recipe: str, written: Path) -> None:
        """Keep what `write_evidence` wrote for a recipe (SHA-256, hex); what is there stays."""
        if (written / DOCUMENT).is_file() and self.place(recipe) is None:
            place = self._folder / recipe
            shutil.rmtree(place, ignore_errors=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            part = place.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(written, part)
            part.rename(place)

    def refer(self, recipe: str, other: str) -> None:
        """Let a recipe have the evidence of the one that it came from, whose scores are the same."""
        place = self.place(other)
        if place is not None and self.place(recipe) is None:
            (self._folder / recipe).mkdir(parents=True, exist_ok=True)
            write_json_document(self._folder / recipe / "as.json", {"recipe": place.name})

    def place(self, recipe: str) -> Path | None:
        """Name the folder with the evidence of a recipe; None where there is none."""
        own = self._folder / recipe
        if (own / "as.json").is_file():
            own = self._folder / str(parse_json((own / "as.json").read_bytes())["recipe"])
        return own if (own / DOCUMENT).is_file() else None

    def document(self, recipe: str) -> dict[str, Any] | None:
        """Read the evidence of a recipe; None where there is none."""
        place = self.place(recipe)
        return None if place is None else dict(parse_json((place / DOCUMENT).read_bytes()))
