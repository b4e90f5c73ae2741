"""Read untrusted XML files: no document type, so no entities that grow or name files."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from flawline.data.masks.documents import read_bytes, refuse

_DEEPEST = 50
# An empty element takes 4 bytes of a file and 100 of memory.
_MOST_BYTES = 5_000_000


def read_xml(path: Path) -> Element:
    """Parse an XML file; raises SourceError where it is none, has a document type or is nested too deeply."""
    builder, parser = TreeBuilder(), expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            _refuse(f"expected annotations, got elements nested more than {_DEEPEST} deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def _refuse(message: str) -> NoReturn:
        refuse(path.name, f"line {parser.CurrentLineNumber}", message)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = lambda *_: _refuse("expected plain XML, got a document type")
    try:
        parser.Parse(read_bytes(path, _MOST_BYTES), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        refuse(path.name, f"line {parser.CurrentLineNumber}", f"expected XML, {error}")
    return builder.close()
