"""Where alerts go: console, file of JSON lines, webhook; each message at least once, with a key against doubles."""

from flawline.outputs.outbox import Outbox
from flawline.outputs.output import Failure, Message, Output
from flawline.outputs.parse import open_output

__all__ = ["Failure", "Message", "Outbox", "Output", "open_output"]
