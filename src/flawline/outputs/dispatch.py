"""Hand events to several outputs, each with a sender of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence

from flawline.data.closing import Closing
from flawline.outputs.events import Event, Health, message_id
from flawline.outputs.output import Output, is_live, wants
from flawline.outputs.sender import Sender
from flawline.outputs.sending import Owing, Sending
from flawline.records.owed import Owed


class Dispatch(Closing):
    """The senders of a station or a watch; use as a context manager, from any thread."""

    def __init__(
        self,
        outputs: Sequence[Output],
        owing: Owing | None = None,
        *,
        owner: str = "",
        health: bool = False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Start a sender for each output.

        Args:
            outputs: where events go.
            owing: the records that hold messages until they have arrived, such as `Store.deliveries`; without them
                messages are held in memory.
            owner: the owner of the messages; those of another owner for the same place are not sent.
            health: whether the other outputs get an event where one begins to fail or is back.
            say: writes a line for people; called from other threads too.
        """
        self._health = health
        self._senders = tuple(
            Sender(
                Sending(
                    output,
                    address(output, owner),
                    None if is_live(output) else owing,
                    say=say,
                    notice=self._notice,
                ),
                say=say,
            )
            for output in outputs
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """List the names of the outputs in the records, in their order."""
        return tuple(sender.sending.address for sender in self._senders)

    def owed(self, events: Iterable[Event]) -> list[Owed]:
        """Build the messages of events for all outputs, to be written with the records of the events."""
        messages = [event.as_dict() for event in events]
        return [
            Owed(
                sender.sending.address,
                message_id(message),
                json.dumps(message, ensure_ascii=False, allow_nan=False),
            )
            for message in messages
            for sender in self._senders
            if wants(sender.sending.output, message["kind"]) and not is_live(sender.sending.output)
        ]

    def tell(self, event: Event) -> None:
        """Send an event without records."""
        message = event.as_dict()
        for sender in self._senders:
            if wants(sender.sending.output, event.kind):
                sender.tell(message)

    def work(self) -> None:
        """Have all senders look for messages at once."""
        for sender in self._senders:
            sender.work()

    def close(self) -> None:
        """Try waiting messages once more; the rest stays in the records, or is reported where there are none."""
        for sender in self._senders:
            sender.ask_to_end()
        for sender in self._senders:
            sender.close()

    def _notice(self, event: Health) -> None:
        """Send the other outputs the event that one fails or is back."""
        message = event.as_dict()
        for sender in getattr(self, "_senders", ()) if self._health else ():
            output = sender.sending.output
            if output.name != event.name and wants(output, event.kind):
                sender.tell(message)


def address(output: Output, owner: str = "") -> str:
    """Return the name of an output in the records: without secrets, different for every place and owner."""
    digest = hashlib.sha256(f"{output.place}\n{owner}".encode()).hexdigest()
    return f"{output.name} {digest[:16]}"
