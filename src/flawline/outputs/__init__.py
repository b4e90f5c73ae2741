"""Outputs of events: files, brokers, databases, PLCs; each message at least once, with a key against copies."""

from flawline.outputs.dispatch import Dispatch
from flawline.outputs.events import Alert, Answer, Event, Health, Judged, Message
from flawline.outputs.output import Failure, Output
from flawline.outputs.registry import open_output

__all__ = [
    "Alert",
    "Answer",
    "Dispatch",
    "Event",
    "Failure",
    "Health",
    "Judged",
    "Message",
    "Output",
    "open_output",
]
