"""The fields of a record that are one column each: tables, reading, writing, exports, imports and conditions follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flawline.data.process import DIMENSIONS

Kind = Literal["text", "term", "hash", "number"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `Record`, which is a column of `inspection`, of exports and of imports under the same name.

    `kind` is how it is held: "text"; "term" for a text that repeats from row to row and is kept once; "hash" for
    a SHA-256 in hex; "number". `empty` is what the record has where the column has nothing.
    """

    name: str
    kind: Kind
    empty: str | None = None


FIELDS = (
    Field("image", "text", ""),
    Field("part", "text"),
    *(Field(name, "term") for name in DIMENSIONS),
    Field("recipe", "term", ""),
    Field("spec", "term", ""),
    Field("verdict", "text"),
    Field("score", "number"),
    Field("p_value", "number"),
    Field("picture", "hash"),
    Field("map", "hash"),
    Field("frame_key", "text"),
)


def names_of_kind(*kinds: Kind) -> tuple[str, ...]:
    """List the names of the fields of some kinds, in their order."""
    return tuple(field.name for field in FIELDS if field.kind in kinds)


TERMS = names_of_kind("term")
NUMBERS = (*names_of_kind("number"), "defects")
"""Measures that every inspection has beside its own; `defects` is how many there are."""
NAMED = tuple(name for name in names_of_kind("text", "term") if name != "verdict")
"""What a condition can be on by name."""


def in_written_order(first: tuple[str, ...]) -> tuple[str, ...]:
    """Append to the columns of a table those fields that it does not place itself."""
    return (*first, *(field.name for field in FIELDS if field.name not in first))
