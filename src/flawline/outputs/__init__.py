"""Outputs of events: console, file of JSON lines, webhook; each message at least once, with a key against copies."""

from flawline.outputs.dispatch import Dispatch
from flawline.outputs.events import Alert, Event, Health, Judged, Message
from flawline.outputs.output import Failure, Output
from flawline.outputs.registry import open_output

__all__ = [
    "Alert",
    "Dispatch",
    "Event",
    "Failure",
    "Health",
    "Judged",
    "Message",
    "Output",
    "open_output",
]
