"""Messages for outputs, before and after they are in the records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """A message for one output.

    `output` is the output's name and holds no secret, since it stands in the records. `key` is the same in every copy
    of the message, which is sent once. `body` is JSON.
    """

    output: str
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in the records.

    `tries` have failed so far, the last for `reason`. `due` is the time of the next try, 1970 before the first.
    """

    id: int
    output: str
    key: str
    body: str
    tries: int
    due: datetime
    reason: str = ""
