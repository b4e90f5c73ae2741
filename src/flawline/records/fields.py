"""The fields of a record with one column each, for tables, reading, writing, exports, imports and conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flawline.data.process import DIMENSIONS

Kind = Literal["text", "term", "hash", "number"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `Record`: a column of `inspection`, of exports and of imports under the same name.

    `kind` is its type: "text"; "term" for a text that repeats from row to row and is stored once; "hash" for a SHA-256
    in hex; "number". `empty` is the value of the record where the column is empty.
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
"""Measures of every inspection in addition to its own; `defects` is their number."""
NAMED = tuple(name for name in names_of_kind("text", "term") if name != "verdict")
"""The fields with values that a condition can name."""


def in_written_order(first: tuple[str, ...]) -> tuple[str, ...]:
    """Append to the columns of a table the fields that are not among them."""
    return (*first, *(field.name for field in FIELDS if field.name not in first))
