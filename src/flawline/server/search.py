"""Read the search field of records: words such as lot:L7, verdict:reject, stain>0, score>=3."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from urllib.parse import urlencode

from flawline.data.times import parse_time
from flawline.errors import UsageError
from flawline.records.fields import NAMED
from flawline.records.record import VERDICTS
from flawline.records.where import AMOUNTS, Where

_BOUND = re.compile(r"(?P<name>[\w.-]+)(?P<sign>>=|<=|>|<)(?P<number>-?\d+(\.\d+)?)")
_QUOTED = re.compile(r"[\s\"'\\]")
_AREA = ".area"
_HINT = "write words such as lot:L7, part:0042, verdict:reject, since:2026-03-01T08:00+01:00, score>3, scratch>0"


def parse_search(text: str, *, undecided: bool = False) -> Where:
    """Read a search.

    A word without a colon is the part. `NAME>NUMBER` bounds a number of every inspection, or how many defects of a
    class there are; `NAME.area>NUMBER` bounds the area of the largest of them, in px. decided:no are those that nobody
    has decided about. Quotes hold words together: lot:"first shift".

    Raises:
        UsageError: a word makes no sense.
    """
    words = words_of(text)
    names: dict[str, str] = {}
    decided = False if undecided else None
    least: dict[str, float] = {}
    most: dict[str, float] = {}
    verdicts: list[str] = []
    times = {}
    for word in words:
        bound = _BOUND.fullmatch(word)
        name, colon, value = word.partition(":")
        if bound:
            key = _amount(bound["name"])
            limit, number = (least if bound["sign"][0] == ">" else most), float(bound["number"])
            limit[key] = (
                number if bound["sign"].endswith("=") else _beyond(bound["sign"], number, key)
            )
        elif not colon:
            names["part"] = word
        elif name == "verdict":
            verdicts += _verdicts(value)
        elif name in ("since", "until"):
            times[name] = parse_time(value)
        elif name == "decided" and value in ("yes", "no"):
            decided = value == "yes"
        elif name in NAMED:
            names[name] = value
        else:
            raise UsageError(
                f"expected a word that can be searched for, got {word[:80]!r}", hint=_HINT
            )
    return Where(
        since=times.get("since"),
        until=times.get("until"),
        verdict=tuple(verdicts),
        names=names,
        decided=decided,
        least=least,
        most=most,
    )


def search_address(name: str, value: str) -> str:
    """Give the address of the records with a value, such as a lot."""
    return "/records?" + urlencode({"q": word_for(name, value)})


def words_of(text: str) -> list[str]:
    """Split a search into its words; what is in quotes stays together."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.replace('"', " ").replace("'", " ").split()


def search_of(words: Sequence[str]) -> str:
    """Join words to a search that `words_of` splits again."""
    return " ".join(shlex.quote(word) if _QUOTED.search(word) else word for word in words)


def word_for(name: str, value: str) -> str:
    """Write the search for all inspections with a value of a name."""
    return search_of([f"{name}:{value}"])


def _amount(name: str) -> str:
    if name in AMOUNTS:
        return name
    return f"largest_area_{name[:-5]}" if name.endswith(_AREA) else f"count_{name}"


def _verdicts(value: str) -> list[str]:
    given = value.split(",")
    for verdict in given:
        if verdict not in VERDICTS:
            raise UsageError(
                f"expected a verdict of {', '.join(VERDICTS)}, got {verdict[:80]!r}", hint=_HINT
            )
    return given


def _beyond(sign: str, number: float, key: str) -> float:
    """Give the bound, itself included, for a number that must lie beyond another."""
    import math

    counts = key.startswith("count_") or key == "defects"
    if counts:
        return math.floor(number) + 1 if sign == ">" else math.ceil(number) - 1
    return math.nextafter(number, math.inf if sign == ">" else -math.inf)
