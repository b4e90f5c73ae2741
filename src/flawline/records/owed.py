"""A message that an output is owed, before and after it is in the records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """A message for one output.

    `output` is the output's name and holds no secret, since it stands in the records. `key` is the same in every copy
    of the message, which an output is owed once. `body` is JSON.
    """

    output: str
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the records hold it.

    `tries` have failed so far, the last for `reason`. `due` is when it is to be tried next: 1970 before the first try.
    """

    id: int
    output: str
    key: str
    body: str
    tries: int
    due: datetime
    reason: str = ""
